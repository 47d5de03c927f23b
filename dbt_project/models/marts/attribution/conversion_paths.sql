with

conversions as (
    select * from {{ ref('conversions') }}
),

conversion_touches as (
    select * from {{ ref('conversion_touches') }}
),

touchpoints as (
    select * from {{ ref('touchpoints') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

converting as (
    select
        org_id,
        conversion_id,
        {{ ordered_path('channel', 'position') }} as path,
        count(*) as path_length
    from conversion_touches
    group by org_id, conversion_id
),

first_touches as (
    select
        conversion_touches.org_id,
        conversion_touches.conversion_id,
        touchpoints.occurred_at
    from conversion_touches
    inner join touchpoints using (org_id, touchpoint_id)
    where conversion_touches.position = 1
),

converted as (
    select
        converting.org_id,
        converting.path,
        converting.path_length,
        conversions.value_micros,
        {{ days_between('first_touches.occurred_at', 'conversions.occurred_at') }} as days_to_convert
    from converting
    inner join conversions using (org_id, conversion_id)
    inner join first_touches using (org_id, conversion_id)
),

last_conversions as (
    select
        org_id,
        person_key,
        max(occurred_at) as last_converted_at
    from conversions
    group by org_id, person_key
),

-- A journey without a conversion: a known person's touches since the last conversion, in one window before the latest touch.
open_touches as (
    select
        touchpoints.org_id,
        touchpoints.person_key,
        touchpoints.touchpoint_id,
        touchpoints.occurred_at,
        touchpoints.channel,
        touchpoints.sample_weight,
        max(touchpoints.occurred_at) over (partition by touchpoints.org_id, touchpoints.person_key) as last_touch_at,
        orgs.lookback_days
    from touchpoints
    inner join orgs using (org_id)
    left join last_conversions using (org_id, person_key)
    where (touchpoints.customer_id is not null or touchpoints.visitor_id is not null)
        and (
            last_conversions.last_converted_at is null
            or touchpoints.occurred_at > last_conversions.last_converted_at
        )
),

not_converted as (
    select
        org_id,
        person_key,
        {{ ordered_path('channel', 'occurred_at, touchpoint_id') }} as path,
        count(*) as path_length,
        greatest(max(sample_weight), 1) as sample_weight
    from open_touches
    where occurred_at >= last_touch_at - interval '24 hours' * lookback_days
    group by org_id, person_key
),

unioned as (
    select
        org_id,
        path,
        path_length,
        value_micros,
        days_to_convert,
        1 as conversion,
        0 as non_conversion
    from converted

    union all

    select
        org_id,
        path,
        path_length,
        0 as value_micros,
        cast(null as double) as days_to_convert,
        0 as conversion,
        sample_weight as non_conversion
    from not_converted
),

final as (
    select
        org_id,
        path,
        path_length,
        cast(sum(conversion) as bigint) as conversions,
        cast(sum(value_micros) as bigint) as value_micros,
        cast(sum(non_conversion) as decimal(18, 6)) as non_conversions,
        median(days_to_convert) as median_days_to_convert
    from unioned
    group by org_id, path, path_length
)

select * from final
order by org_id, conversions desc, non_conversions desc, path
