with

definitions as (
    select * from {{ ref('stg_raw__conversion_definitions') }}
),

conversions as (
    select * from {{ ref('int_defined_conversions') }}
),

touchpoints as (
    select * from {{ ref('int_touchpoints') }}
    where customer_id is not null or visitor_id is not null
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

last_conversions as (
    select
        org_id,
        conversion_type,
        person_key,
        max(occurred_at) as occurred_at
    from conversions
    group by org_id, conversion_type, person_key
),

-- A definition that counts the first conversion of a person has no journey after it.
paired as (
    select
        touchpoints.org_id,
        definitions.conversion_type,
        touchpoints.person_key,
        touchpoints.touchpoint_id,
        touchpoints.occurred_at,
        touchpoints.channel,
        touchpoints.is_direct,
        touchpoints.sample_weight,
        orgs.direct,
        coalesce(definitions.lookback_days, orgs.lookback_days) as lookback_days,
        touch_type_windows.lookback_days as touch_type_days
    from touchpoints
    inner join orgs using (org_id)
    inner join definitions using (org_id)
    left join last_conversions
        on touchpoints.org_id = last_conversions.org_id
        and touchpoints.person_key = last_conversions.person_key
        and definitions.conversion_type = last_conversions.conversion_type
    left join touch_type_windows
        on touchpoints.org_id = touch_type_windows.org_id
        and touchpoints.touch_type = touch_type_windows.touch_type
    left join excluded_touches
        on touchpoints.org_id = excluded_touches.org_id
        and touchpoints.touchpoint_id = excluded_touches.touchpoint_id
    left join merged_touches
        on touchpoints.org_id = merged_touches.org_id
        and touchpoints.touchpoint_id = merged_touches.touchpoint_id
    where excluded_touches.touchpoint_id is null
        and merged_touches.touchpoint_id is null
        and (
            last_conversions.occurred_at is null
            or (touchpoints.occurred_at > last_conversions.occurred_at and not definitions.is_first_only)
        )
),

with_age as (
    select
        *,
        {{ days_between('occurred_at', 'max(occurred_at) over person') }} as days_before_last
    from paired
    window person as (partition by org_id, conversion_type, person_key)
),

recent as (
    select
        *,
        bool_or(not is_direct) over (partition by org_id, conversion_type, person_key) as has_other
    from with_age
    where days_before_last <= coalesce(touch_type_days, lookback_days)
),

final as (
    select
        org_id,
        conversion_type,
        person_key,
        touchpoint_id,
        occurred_at,
        channel,
        sample_weight,
        row_number() over (
            partition by org_id, conversion_type, person_key
            order by occurred_at, touchpoint_id
        ) as position
    from recent
    where direct = 'include' or not is_direct or not has_other
)

select * from final
