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

touch_type_windows as (
    select * from {{ ref('stg_raw__touch_type_windows') }}
),

excluded_touches as (
    {{ touches_without_credit() }}
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
unconverted as (
    select
        touchpoints.org_id,
        definitions.conversion_type,
        touchpoints.person_key,
        touchpoints.touchpoint_id,
        touchpoints.occurred_at,
        touchpoints.touch_type,
        touchpoints.channel,
        touchpoints.is_direct,
        touchpoints.sample_weight,
        orgs.direct,
        definitions.lookback_days
    from touchpoints
    inner join orgs using (org_id)
    inner join definitions using (org_id)
    left join last_conversions using (org_id, conversion_type, person_key)
    left join excluded_touches using (org_id, touchpoint_id)
    where excluded_touches.touchpoint_id is null
        and (
            last_conversions.occurred_at is null
            or (touchpoints.occurred_at > last_conversions.occurred_at and not definitions.is_first_only)
        )
),

-- The person's latest touch takes the place of a conversion.
paired as (
    select
        *,
        {{ days_between('occurred_at', 'last_value(occurred_at) over journey') }} as days_before_conversion,
        row_number() over journey as position
    from unconverted
    window journey as (
        partition by org_id, conversion_type, person_key
        order by occurred_at, touchpoint_id
        rows between unbounded preceding and unbounded following
    )
),

{{ touches_in_windows(['org_id', 'conversion_type', 'person_key']) }},

final as (
    select
        org_id,
        conversion_type,
        person_key,
        touchpoint_id,
        occurred_at,
        channel,
        sample_weight,
        position
    from with_windows
    where is_in_lookback_window
)

select * from final
