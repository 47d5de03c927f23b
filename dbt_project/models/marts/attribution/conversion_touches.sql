{#- A view: the table behind it is large, and intermediate models read it too. -#}
{{ config(materialized='view') }}

with

conversion_touches as (
    select * from {{ ref('int_conversion_touches') }}
),

final as (
    select
        org_id,
        conversion_id,
        conversion_type,
        touchpoint_id,
        lookback_days,
        position,
        touchpoint_count,
        conversion_date,
        touch_date,
        channel,
        platform,
        campaign_id,
        adset_id,
        ad_id
        {%- for model in var('attribution_models') %},
        {{ model }}_credit,
        {{ model }}_value_micros
        {%- endfor %}
    from conversion_touches
)

select * from final
