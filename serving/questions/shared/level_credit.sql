-- Credit of the chosen level: a channel, a platform or a campaign at the chosen window, an ad set at the org's.
level_credit as (
    select date, conversions, conversion_value_micros
    from credit
    where $adset_id is null
        and date between $from and $to
        and ($channel is null or channel = $channel)
        and ($platform is null or platform = $platform)
        and ($campaign_id is null or campaign_id = $campaign_id)
    union all by name
    select date, conversions, conversion_value_micros
    from touch_credit
    where $adset_id is not null
        and date between $from and $to
        and ($channel is null or channel = $channel)
        and ($platform is null or platform = $platform)
        and ($campaign_id is null or campaign_id = $campaign_id)
        and adset_id = $adset_id
)
