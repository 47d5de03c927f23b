with

source as (
    select * from {{ source('raw', 'conversion_definitions') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

-- An org without definitions counts every reported conversion.
final as (
    select
        orgs.org_id,
        coalesce(source.conversion_type, 'purchase') as conversion_type,
        coalesce(source.number, 1) as number,
        coalesce(source.source, 'conversion') as source,
        source.source_types,
        source.site_ids,
        source.properties,
        source.min_value_micros,
        coalesce(source.is_first_only, false) as is_first_only,
        source.value_micros,
        coalesce(source.lookback_days, orgs.lookback_days) as lookback_days,
        coalesce(source.touches, 'before') as touches
    from orgs
    left join source using (org_id)
)

select * from final
