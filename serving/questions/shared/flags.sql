-- The waste flags of the chosen model and filters. is_counted: no coarser flag has the same money, whatever its severity,
-- so that the totals by severity sum to the total.
flags as (
    select *
    from (
        select
            *,
            case grain
                when 'CAMPAIGN' then coalesce(campaign, campaign_id)
                when 'ADSET' then coalesce(adset, adset_id)
                else coalesce(ad, ad_id)
            end as name,
            grain = 'CAMPAIGN' or not (
                bool_or(grain = 'CAMPAIGN') over (partition by attribution_model, platform, campaign_id)
                or (
                    grain = 'AD'
                    and bool_or(grain = 'ADSET') over (partition by attribution_model, platform, campaign_id, adset_id)
                )
            ) as is_counted
        from waste_flags
        where ($waste_id is not null or (attribution_model = $model and period_end >= $from and period_start <= $to))
            and ($grain is null or grain = $grain)
            and ($platform is null or platform = $platform)
    )
    where ($waste_id is null or waste_id = $waste_id)
        and ($severity is null or severity = $severity)
        and ($reason is null or reason = $reason)
        and waste_spend_micros >= $min_waste
)
