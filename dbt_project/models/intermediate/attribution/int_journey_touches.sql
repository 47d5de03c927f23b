with

conversions as (
    select
        *,
        {{ unique_number() }} as journey_number
    from {{ ref('int_defined_conversions') }}
),

merged_touches as (
    select * from {{ ref('int_merged_touches') }}
),

touchpoints as (
    select touchpoints.*
    from {{ ref('int_touchpoints') }} as touchpoints
    left join merged_touches using (org_id, touchpoint_id)
    where merged_touches.touchpoint_id is null
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

touch_type_windows as (
    select * from {{ ref('stg_raw__touch_type_windows') }}
),

excluded_touches as (
    select distinct
        org_id,
        touchpoint_id
    from {{ ref('int_suspicious_touches') }}
    where is_excluded
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
