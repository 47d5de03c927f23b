with

conversions as (
    select
        *,
        {{ unique_number() }} as journey_number
    from {{ ref('int_defined_conversions') }}
),

touchpoints as (
    select * from {{ ref('int_touchpoints') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

touch_type_windows as (
    select * from {{ ref('stg_raw__touch_type_windows') }}
),

excluded_touches as (
    {{ touches_without_credit() }}
),

{{ journey_touches(['org_id', 'conversion_id', 'journey_number']) }},

final as (
    select
        journey_number,
        {{ unique_number() }} as touch_number,
        org_id,
        conversion_id,
        conversion_type,
        conversion_date,
        value_micros,
        is_first_conversion,
        lookback_days,
        lead_at,
        touchpoint_id,
        occurred_at,
        touch_date,
        days_before_conversion,
        touch_type,
        channel,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        is_direct,
        credit_percent,
        is_in_lookback_window,
        first_window,
        until_window
    from with_windows
    where is_in_lookback_window or first_window < until_window
)

select * from final
