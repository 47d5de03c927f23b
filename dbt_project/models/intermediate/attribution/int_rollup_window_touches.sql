{%- set models = var('attribution_models') -%}
with

journey_touches as (
    select * from {{ ref('int_journey_touches') }}
    where first_window < until_window
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

channel_weights as (
    select * from {{ ref('int_channel_weights') }}
),

numbered_windows as (
    {{ numbered_windows('lookback_days') }}
),

windows as (
    select
        conversion_windows.org_id,
        conversion_windows.conversion_type,
        conversion_windows.lookback_days as window_days,
        numbered_windows.number
    from {{ ref('int_conversion_windows') }} as conversion_windows
    inner join numbered_windows using (lookback_days)
    where conversion_windows.is_in_rollups and not conversion_windows.is_main_window
),

candidates as (
    select
        journey_touches.*,
        windows.window_days
    from journey_touches
    inner join windows
        on journey_touches.org_id = windows.org_id
        and journey_touches.conversion_type = windows.conversion_type
        and windows.number >= journey_touches.first_window
        and windows.number < journey_touches.until_window
),

{{ credit_of_touches(['journey_number', 'window_days'], 'touch_number') }},

final as (
    select
        journey_touches.org_id,
        journey_touches.conversion_id,
        journey_touches.conversion_type,
        journey_touches.touchpoint_id,
        credited.window_days as lookback_days,
        credited.position,
        journey_touches.conversion_date,
        journey_touches.is_first_conversion,
        journey_touches.touch_date,
        journey_touches.channel,
        journey_touches.platform,
        journey_touches.campaign_id,
        journey_touches.adset_id,
        journey_touches.ad_id
        {%- for model in models %},
        credited.{{ model }}_credit,
        credited.{{ model }}_value_micros
        {%- endfor %}
    from credited
    inner join journey_touches using (touch_number)
)

select * from final
