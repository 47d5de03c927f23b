with

journeys as (
    select * from {{ ref('int_journeys') }}
),

final as (
    select
        org_id,
        conversion_type,
        journey_id,
        person_key,
        is_converted,
        channels,
        touchpoint_ids,
        path_length,
        first_touch_at,
        last_touch_at,
        converted_at,
        value_micros,
        is_first_conversion,
        sample_weight
    from journeys
)

select * from final
order by org_id, conversion_type, journey_id
