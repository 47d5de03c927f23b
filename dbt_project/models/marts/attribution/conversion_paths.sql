with

journeys as (
    select
        *,
        {{ path_of('channels') }} as path,
        {{ days_between('first_touch_at', 'converted_at') }} as days_to_convert
    from {{ ref('int_journeys') }}
),

final as (
    select
        org_id,
        conversion_type,
        path,
        path_length,
        count(case when is_converted then 1 end) as conversions,
        cast(sum(value_micros) as bigint) as value_micros,
        cast(sum(case when is_converted then 0 else sample_weight end) as decimal(18, 6)) as non_conversions,
        median(days_to_convert) as median_days_to_convert
    from journeys
    group by org_id, conversion_type, path, path_length
)

select * from final
order by org_id, conversions desc, non_conversions desc, path
