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

{{ credit_of_touches(['journey_number'], 'touch_number') }},

final as (
    select
        candidates.org_id,
        candidates.conversion_id,
        candidates.conversion_type,
        candidates.touchpoint_id,
        candidates.lookback_days,
        credited.position,
        credited.touchpoint_count,
        candidates.conversion_date,
        candidates.is_first_conversion,
        candidates.touch_date,
        candidates.channel,
        candidates.platform,
        candidates.campaign_id,
        candidates.adset_id,
        candidates.ad_id
        {%- for model in models %},
        credited.{{ model }}_credit,
        credited.{{ model }}_value_micros
        {%- endfor %}
    from candidates
    inner join credited using (touch_number)
)

select * from final
