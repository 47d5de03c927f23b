{%- set models = var('attribution_models') -%}
with

candidates as (
    select * from {{ ref('int_journey_touches') }}
    where is_in_lookback_window
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

channel_weights as (
    select * from {{ ref('int_channel_weights') }}
),

{{ credit_of_touches(['org_id', 'conversion_id']) }},

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
        is_first_conversion,
        touch_date,
        channel,
        platform,
        campaign_id,
        adset_id,
        ad_id
        {%- for model in models %},
        {{ model }}_credit,
        {{ model }}_value_micros
        {%- endfor %}
    from credited
)

select * from final
