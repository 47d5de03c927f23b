with

events as (
    select * from {{ ref('int_events') }}
    where type in ('CONVERSION', 'CHECKOUT_COMPLETED', 'REFUND')
        and sample_percent is not null
        and visitor_id is not null
),

final as (
    select
        org_id,
        site_id,
        visitor_id,
        max(occurred_at) as last_converted_at
    from events
    group by org_id, site_id, visitor_id
)

select * from final
