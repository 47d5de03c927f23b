with

conversions as (
    select * from {{ ref('int_defined_conversions') }}
),

journey_touches as (
    select * from {{ ref('int_journey_touches') }}
    where is_in_lookback_window
),

open_touches as (
    select * from {{ ref('int_open_touches') }}
),

positioned as (
    select
        org_id,
        conversion_id,
        touchpoint_id,
        occurred_at,
        channel,
        row_number() over (partition by org_id, conversion_id order by occurred_at, touchpoint_id) as position
    from journey_touches
),

converted as (
    select
        org_id,
        conversion_id,
        {{ ordered_list('channel', 'position') }} as channels,
        {{ ordered_list('touchpoint_id', 'position') }} as touchpoint_ids,
        count(*) as path_length,
        min(occurred_at) as first_touch_at,
        max(occurred_at) as last_touch_at
    from positioned
    group by org_id, conversion_id
),

not_converted as (
    select
        org_id,
        conversion_type,
        person_key,
        {{ ordered_list('channel', 'position') }} as channels,
        {{ ordered_list('touchpoint_id', 'position') }} as touchpoint_ids,
        count(*) as path_length,
        min(occurred_at) as first_touch_at,
        max(occurred_at) as last_touch_at,
        greatest(max(sample_weight), 1) as sample_weight
    from open_touches
    group by org_id, conversion_type, person_key
),

final as (
    select
        converted.org_id,
        conversions.conversion_type,
        converted.conversion_id as journey_id,
        conversions.person_key,
        true as is_converted,
        converted.channels,
        converted.touchpoint_ids,
        converted.path_length,
        converted.first_touch_at,
        converted.last_touch_at,
        conversions.occurred_at as converted_at,
        conversions.value_micros,
        conversions.is_first_conversion,
        cast(1 as decimal(9, 6)) as sample_weight
    from converted
    inner join conversions using (org_id, conversion_id)

    union all

    select
        org_id,
        conversion_type,
        'open:' || person_key || '#' || conversion_type as journey_id,
        person_key,
        false as is_converted,
        channels,
        touchpoint_ids,
        path_length,
        first_touch_at,
        last_touch_at,
        cast(null as timestamp) as converted_at,
        cast(0 as bigint) as value_micros,
        false as is_first_conversion,
        cast(sample_weight as decimal(9, 6)) as sample_weight
    from not_converted
)

select * from final
