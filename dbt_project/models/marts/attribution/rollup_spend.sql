with

spend as (
    select
        *,
        platform = '(unattributed)' as is_unattributed
    from {{ ref('int_daily_spend') }}
),

final as (
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
)

-- Readers ask for one org, one grain and some days: sorted so, they skip the rest of the file.
select * from final
order by org_id, grain, date
