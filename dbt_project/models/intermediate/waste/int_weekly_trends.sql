with

spend as (
    select * from {{ ref('int_spend_with_commissions') }}
),

credit as (
    select * from {{ ref('int_main_type_credit') }}
),

attribution_models as (
    select * from {{ ref('int_model_modes') }}
    where accounting_mode = 'cash'
),

-- Weeks count back from the end of the waste windows.
last_days as (
    select
        org_id,
        max(period_end) as last_date
    from {{ ref('int_waste_candidates') }}
    group by org_id
),

weekly_performance as (
    select
        spend.org_id,
        cast(floor({{ dbt.datediff('spend.date', 'last_days.last_date', 'day') }} / 7) as integer) as weeks_ago,
        attribution_models.attribution_model,
        spend.platform,
        spend.campaign_id,
        spend.adset_id,
        spend.ad_id,
        spend.spend_micros,
        cast(0 as bigint) as credit,
        cast(0 as bigint) as value_micros
    from spend
    inner join last_days
        on spend.org_id = last_days.org_id
        and spend.date <= last_days.last_date
    cross join attribution_models

    union all

    select
        credit.org_id,
        cast(floor({{ dbt.datediff('credit.date', 'last_days.last_date', 'day') }} / 7) as integer) as weeks_ago,
        credit.attribution_model,
        credit.platform,
        credit.campaign_id,
        credit.adset_id,
        credit.ad_id,
        cast(0 as bigint) as spend_micros,
        credit.credit,
        credit.value_micros
    from credit
    inner join last_days
        on credit.org_id = last_days.org_id
        and credit.date <= last_days.last_date
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
        sum(value_micros) as value_micros
    from weekly_performance
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
                ('value_micros', 'cast(value_micros as bigint)'),
            ]),
            'weeks_ago desc',
        ) }} as trend
    from weekly
    group by org_id, attribution_model, platform, campaign_id, adset_id, ad_id
)

select * from final
