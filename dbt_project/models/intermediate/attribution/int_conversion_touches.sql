{%- set models = var('attribution_models') -%}
with

conversions as (
    select * from {{ ref('int_counted_conversions') }}
),

touchpoints as (
    select * from {{ ref('int_touchpoints') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

excluded_touches as (
    select distinct
        org_id,
        touchpoint_id
    from {{ ref('int_suspicious_touches') }}
    where is_excluded
),

merged_touches as (
    select * from {{ ref('int_merged_touches') }}
),

touch_type_windows as (
    select * from {{ ref('stg_raw__touch_type_windows') }}
),

candidates as (
    select
        conversions.org_id,
        conversions.conversion_id,
        conversions.date as conversion_date,
        conversions.value_micros,
        conversions.is_first_conversion,
        orgs.lookback_days,
        touchpoints.touchpoint_id,
        touchpoints.occurred_at,
        {{ reporting_date('touchpoints.occurred_at', 'orgs.timezone') }} as touch_date,
        touchpoints.channel,
        touchpoints.platform,
        touchpoints.campaign_id,
        touchpoints.adset_id,
        touchpoints.ad_id,
        touchpoints.is_direct
    from conversions
    inner join orgs using (org_id)
    inner join touchpoints using (org_id, person_key)
    left join touch_type_windows using (org_id, touch_type)
    left join excluded_touches using (org_id, touchpoint_id)
    left join merged_touches using (org_id, touchpoint_id)
    where excluded_touches.touchpoint_id is null
        and merged_touches.touchpoint_id is null
        and touchpoints.occurred_at <= conversions.occurred_at
        and touchpoints.occurred_at
            >= conversions.occurred_at
            - interval '24 hours' * coalesce(touch_type_windows.lookback_days, orgs.lookback_days)
),

-- All windows share one sort of a conversion's touches.
positioned as (
    select
        *,
        row_number() over journey as position,
        count(*) over conversion as touchpoint_count,
        sum(case when is_direct then 0 else 1 end) over journey as non_direct_position,
        sum(case when is_direct then 0 else 1 end) over conversion as non_direct_count,
        {{ days_between('occurred_at', 'max(occurred_at) over conversion') }} as days_before_last,
        count(*) over (partition by org_id, conversion_id, touch_date) as day_touch_count
    from candidates
    {{ journey_windows() }}
),

-- A model gives each touch one whole-number weight (macros/attribution). Whole numbers have the same sum in any order.
weighted as (
    select
        *
        {%- for model in models %},
        {{ context[model ~ '_weight']() | trim }} as {{ model }}_weight
        {%- endfor %}
    from positioned
),

running as (
    select
        *
        {%- for model in models %},
        sum({{ model }}_weight) over journey as {{ model }}_running,
        sum({{ model }}_weight) over conversion as {{ model }}_total
        {%- endfor %}
    from weighted
    {{ journey_windows() }}
),

final as (
    select
        org_id,
        conversion_id,
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
        {{ part_of_whole('1000000000000', model) }} as {{ model }}_credit,
        {{ part_of_whole('value_micros', model) }} as {{ model }}_value_micros
        {%- endfor %}
    from running
)

select * from final
