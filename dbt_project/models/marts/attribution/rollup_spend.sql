with

spend as (
    select
        *,
        platform = '(unattributed)' as is_unattributed
    from {{ ref('int_daily_spend') }}
),

by_grain as (
    select
        org_id,
        date,
        {{ rollup_grain() }} as grain,
        {{ rollup_platform() }} as platform,
        campaign_id,
        adset_id,
        ad_id,
        cast(sum(impressions) as bigint) as impressions,
        cast(sum(clicks) as bigint) as clicks,
        cast(sum(spend_micros) as bigint) as spend_micros
    from spend
    group by {{ rollup_grouping_sets(['org_id', 'date']) }}
),

-- The number of a row lets rollup_credit name its row of spend by one integer, which joins fastest.
final as (
    select
        by_grain.org_id,
        row_number() over (
            partition by by_grain.org_id
            order by
                by_grain.grain,
                by_grain.date,
                by_grain.platform,
                by_grain.campaign_id,
                by_grain.adset_id,
                by_grain.ad_id
        ) as rollup_id,
        by_grain.date,
        by_grain.grain,
        by_grain.platform,
        by_grain.campaign_id,
        by_grain.adset_id,
        by_grain.ad_id,
        by_grain.impressions,
        by_grain.clicks,
        by_grain.spend_micros
    from by_grain
)

-- Readers ask for one org, one grain and some days: sorted so, they skip the rest of the file.
select * from final
order by org_id, rollup_id
