with

source as (
    select * from {{ source('raw', 'conversions') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

-- An org that left tributary.yaml keeps its raw rows, but no longer appears.
final as (
    select
        source.org_id,
        source.conversion_id,
        source.occurred_at,
        source.visitor_id,
        source.customer_id,
        source.site_id,
        source.conversion_type,
        source.value_micros,
        source.currency,
        source.order_id,
        {{ json_text('source.properties', 'email_hash') }} as email_hash,
    from source
    inner join orgs using (org_id)
)

select * from final
