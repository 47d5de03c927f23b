-- Spend of the chosen level by day.
level_spend as (
    select date, spend_micros, impressions, clicks
    from daily_spend
    where $adset_id is null
        and date between $from and $to
        and ($channel is null or channel = $channel)
        and ($platform is null or platform = $platform)
        and ($campaign_id is null or campaign_id = $campaign_id)
    union all by name
    select date, spend_micros, impressions, clicks
    from ad_spend
    where $adset_id is not null and adset_id = $adset_id
)
