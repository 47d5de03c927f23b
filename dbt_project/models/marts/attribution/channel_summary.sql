{#- A view: spend is the same in all models and windows, and stored for each it would be 88 times as large. -#}
{{ config(materialized='view') }}

with

credit as (
    select * from {{ ref('channel_credit') }}
),

spend as (
    select * from {{ ref('channel_spend') }}
),

conversion_windows as (
    select * from {{ ref('conversion_windows') }}
),

attribution_models as (
    {%- for model in var('attribution_models') %}
    select '{{ model }}' as attribution_model
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

-- Rows with spend, with or without credit; then credit of days without spend.
unioned as (
    select
        spend.org_id,
        spend.date,
        conversion_windows.conversion_type,
        spend.channel,
        spend.platform,
        spend.campaign_id,
        attribution_models.attribution_model,
        conversion_windows.lookback_days,
        coalesce(credit.conversions, 0) as conversions,
        coalesce(credit.conversion_value_micros, 0) as conversion_value_micros,
        spend.spend_micros
    from spend
    inner join conversion_windows using (org_id)
    cross join attribution_models
    left join credit
        on spend.org_id = credit.org_id
        and spend.date = credit.date
        and spend.channel = credit.channel
        and spend.platform = credit.platform
        and spend.campaign_id = credit.campaign_id
        and conversion_windows.conversion_type = credit.conversion_type
        and conversion_windows.lookback_days = credit.lookback_days
        and attribution_models.attribution_model = credit.attribution_model

    union all

    select
        credit.org_id,
        credit.date,
        credit.conversion_type,
        credit.channel,
        credit.platform,
        credit.campaign_id,
        credit.attribution_model,
        credit.lookback_days,
        credit.conversions,
        credit.conversion_value_micros,
        cast(0 as bigint) as spend_micros
    from credit
    left join spend
        on credit.org_id = spend.org_id
        and credit.date = spend.date
        and credit.channel = spend.channel
        and credit.platform = spend.platform
        and credit.campaign_id = spend.campaign_id
    where spend.org_id is null
),

final as (
    select
        org_id,
        date,
        conversion_type,
        channel,
        platform,
        campaign_id,
        attribution_model,
        lookback_days,
        conversions,
        conversion_value_micros,
        spend_micros,
        conversion_value_micros / cast(nullif(spend_micros, 0) as double) as roas,
        spend_micros / 1e6 / nullif(conversions, 0) as cpa
    from unioned
)

select * from final
