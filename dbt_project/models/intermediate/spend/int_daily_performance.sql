{#- A view: each of its readers sums some weeks of it, and stored it would be all spend once a model and mode. -#}
{{ config(materialized='view') }}

with

credit as (
    select * from {{ ref('int_daily_credit') }}
),

spend as (
    select * from {{ ref('int_daily_spend') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

scenarios as (
    select * from {{ ref('int_model_modes') }}
),

-- Spend is the same whatever the model and mode say of conversions, so that every slice holds all of it.
final as (
    select
        spend.org_id,
        spend.date,
        scenarios.accounting_mode,
        scenarios.attribution_model,
        orgs.lookback_days,
        spend.platform,
        spend.campaign_id,
        spend.adset_id,
        spend.ad_id,
        spend.impressions,
        spend.clicks,
        spend.spend_micros,
        cast(0 as bigint) as credit,
        cast(0 as bigint) as value_micros,
    from spend
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
)

select * from final
