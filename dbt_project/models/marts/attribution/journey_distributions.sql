with

journeys as (
    select
        *,
        cast(floor({{ days_between('first_touch_at', 'converted_at') }}) as bigint) as days_to_convert
    from {{ ref('int_journeys') }}
    where is_converted
),

measured as (
    select
        org_id,
        conversion_type,
        'days_to_convert' as measure,
        days_to_convert as number,
        value_micros,
        is_first_conversion
    from journeys

    union all

    select
        org_id,
        conversion_type,
        'path_length' as measure,
        path_length as number,
        value_micros,
        is_first_conversion
    from journeys
),

counted as (
    select
        org_id,
        conversion_type,
        measure,
        number,
        count(*) as conversions,
        sum(case when is_first_conversion then 1 else 0 end) as first_conversions,
        sum(value_micros) as value_micros
    from measured
    group by org_id, conversion_type, measure, number
),

final as (
    select
        org_id,
        conversion_type,
        measure,
        number,
        conversions,
        cast(first_conversions as bigint) as first_conversions,
        cast(value_micros as bigint) as value_micros,
        cast(sum(conversions) over (partition by org_id, conversion_type, measure order by number rows unbounded preceding) as double)
            / sum(conversions) over (partition by org_id, conversion_type, measure) as share_up_to
    from counted
)

select * from final
order by org_id, conversion_type, measure, number
