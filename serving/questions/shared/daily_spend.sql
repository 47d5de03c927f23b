-- One row a day, channel, platform and campaign with spend. It is the same under every model.
daily_spend as (
    select date, channel, platform, campaign_id, spend_micros, impressions, clicks
    from channel_spend
)
