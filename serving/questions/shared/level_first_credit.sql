-- Credit of first conversions of the chosen level, at the org's lookback window.
level_first_credit as (
    select date, conversions as first_conversions
    from touch_credit
    where is_first_conversion
        and date between $from and $to
        and ($channel is null or channel = $channel)
        and ($platform is null or platform = $platform)
        and ($campaign_id is null or campaign_id = $campaign_id)
        and ($adset_id is null or adset_id = $adset_id)
)
