-- One row a day, ad set and ad with spend of the chosen platform and campaign. A campaign's spend is in one channel a day.
ad_spend as (
    select date, platform, campaign_id, adset_id, ad_id, spend_micros, impressions, clicks
    from rollup_spend
    where grain = 'AD'
        and date between $from and $to
        and ($platform is null or platform = $platform)
        and ($campaign_id is null or campaign_id = $campaign_id)
        and ($channel is null or (date, platform, campaign_id) in (
            select (date, platform, campaign_id) from channel_spend where channel = $channel
        ))
)
