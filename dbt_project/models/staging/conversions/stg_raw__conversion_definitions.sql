with

source as (
    select * from {{ source('raw', 'conversion_definitions') }}
),

final as (
    select
        org_id,
        conversion_type,
        number,
        source,
        source_types,
        site_ids,
        properties,
        min_value_micros,
        is_first_only,
        value_micros,
        lookback_days,
        touches
    from source
)

select * from final
