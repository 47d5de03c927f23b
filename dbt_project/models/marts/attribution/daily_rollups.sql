{#- A view: spend is the same in all models and modes, and stored for each it would be 14 times as large. The model and mode
    of a row are constants or stored columns, so that an engine can push filters on them down to both tables. -#}
{{ config(materialized='view') }}

with

spend as (
    select * from {{ ref('rollup_spend') }}
),

credit as (
    select * from {{ ref('rollup_credit') }}
),

conversion_windows as (
    select * from {{ ref('conversion_windows') }}
    where is_in_rollups
),

model_modes as (
    {{ model_modes() }}
),

-- Rows with spend, with or without credit; then credit of days without spend.
unioned as (
    select
        spend.org_id,
        spend.date,
        spend.grain,
        spend.platform,
        spend.campaign_id,
        spend.adset_id,
        spend.ad_id,
        conversion_windows.conversion_type,
        model_modes.attribution_model,
        conversion_windows.lookback_days,
        model_modes.accounting_mode,
        spend.impressions,
        spend.clicks,
        spend.spend_micros,
        coalesce(credit.conversions, 0) as conversions,
        coalesce(credit.conversion_value_micros, 0) as conversion_value_micros,
        coalesce(credit.waste_spend_micros, 0) as waste_spend_micros
    from spend
    inner join conversion_windows using (org_id)
    cross join model_modes
    left join credit
        on spend.org_id = credit.org_id
        and spend.rollup_id = credit.rollup_id
        and conversion_windows.conversion_type = credit.conversion_type
        and conversion_windows.lookback_days = credit.lookback_days
        and model_modes.attribution_model = credit.attribution_model
        and model_modes.accounting_mode = credit.accounting_mode

    union all

    select
        org_id,
        date,
        grain,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        conversion_type,
        attribution_model,
        lookback_days,
        accounting_mode,
        cast(0 as bigint) as impressions,
        cast(0 as bigint) as clicks,
        cast(0 as bigint) as spend_micros,
        conversions,
        conversion_value_micros,
        waste_spend_micros
    from credit
    where rollup_id is null
),

final as (
    select
        org_id,
        date,
        grain,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        conversion_type,
        attribution_model,
        lookback_days,
        accounting_mode,
        impressions,
        clicks,
        spend_micros,
        conversions,
        conversion_value_micros,
        spend_micros / 1e6 / nullif(conversions, 0) as cpa,
        conversion_value_micros / cast(nullif(spend_micros, 0) as double) as roas,
        clicks / cast(nullif(impressions, 0) as double) as ctr,
        spend_micros / 1e6 / nullif(clicks, 0) as cpc,
        waste_spend_micros,
        waste_spend_micros / cast(nullif(spend_micros, 0) as double) as waste_pct
    from unioned
)

select * from final
