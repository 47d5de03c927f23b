with

credit as (
    select * from {{ ref('int_daily_credit') }}
),

spend as (
    select * from {{ ref('int_ad_spend') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

scenarios as (
    select * from {{ ref('int_scenarios') }}
),

spend_by_day as (
    select
        org_id,
        date,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        cast(sum(impressions) as bigint) as impressions,
        cast(sum(clicks) as bigint) as clicks,
        cast(sum(spend_micros) as bigint) as spend_micros,
    from spend
    group by org_id, date, platform, campaign_id, adset_id, ad_id
),

-- Spend is the same whatever the model and mode say of conversions, so that every slice holds all of it.
unioned as (
    select
        spend_by_day.org_id,
        spend_by_day.date,
        scenarios.accounting_mode,
        scenarios.attribution_model,
        orgs.lookback_days,
        spend_by_day.platform,
        spend_by_day.campaign_id,
        spend_by_day.adset_id,
        spend_by_day.ad_id,
        spend_by_day.impressions,
        spend_by_day.clicks,
        spend_by_day.spend_micros,
        0 as credit,
        0 as value_micros,
    from spend_by_day
    inner join orgs using (org_id)
    cross join scenarios

    union all

    select
        org_id,
        date,
        accounting_mode,
        attribution_model,
        lookback_days,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        0,
        0,
        0,
        credit,
        value_micros,
    from credit
),

final as (
    select
        org_id,
        date,
        accounting_mode,
        attribution_model,
        lookback_days,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        cast(sum(impressions) as bigint) as impressions,
        cast(sum(clicks) as bigint) as clicks,
        cast(sum(spend_micros) as bigint) as spend_micros,
        cast(sum(credit) as bigint) as credit,
        cast(sum(value_micros) as bigint) as value_micros,
    from unioned
    group by
        org_id,
        date,
        accounting_mode,
        attribution_model,
        lookback_days,
        platform,
        campaign_id,
        adset_id,
        ad_id
)

select * from final
