with

performance as (
    select * from {{ ref('int_daily_performance') }}
    where accounting_mode = 'cash'
),

spend_periods as (
    select * from {{ ref('int_spend_periods') }}
),

with_week as (
    select
        performance.*,
        cast(floor((spend_periods.last_spend_date - performance.date) / 7) as integer) as weeks_ago,
    from performance
    inner join spend_periods using (org_id)
    where performance.date <= spend_periods.last_spend_date
),

weekly as (
    select
        org_id,
        attribution_model,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        weeks_ago,
        sum(spend_micros) as spend_micros,
        sum(credit) / 1e12 as conversions,
    from with_week
    where weeks_ago < {{ var('waste_trend_weeks') }}
    group by grouping sets (
        (org_id, attribution_model, weeks_ago, platform, campaign_id),
        (org_id, attribution_model, weeks_ago, platform, campaign_id, adset_id),
        (org_id, attribution_model, weeks_ago, platform, campaign_id, adset_id, ad_id)
    )
),

final as (
    select
        org_id,
        attribution_model,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        {{ json_array_of(
            json_record([
                ('weeks_ago', 'weeks_ago'),
                ('spend_micros', 'cast(spend_micros as bigint)'),
                ('conversions', 'conversions'),
            ]),
            'weeks_ago desc',
        ) }} as trend,
    from weekly
    group by org_id, attribution_model, platform, campaign_id, adset_id, ad_id
)

select * from final
