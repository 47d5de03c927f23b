with

events as (
    select * from {{ ref('int_events') }}
    where order_id is not null and visitor_id is not null and type <> 'REFUND'
),

order_keys as (
    select * from {{ ref('int_order_keys') }}
),

ranked as (
    select
        events.*,
        order_keys.order_key,
        row_number() over (
            partition by events.org_id, order_keys.order_key
            order by
                case events.type when 'CHECKOUT_COMPLETED' then 1 when 'CHECKOUT_STARTED' then 2 else 3 end,
                events.occurred_at,
                events.site_id,
                events.event_id
        ) as rank
    from events
    inner join order_keys using (org_id, site_id, order_id)
    where order_keys.order_key is not null
),

final as (
    select
        org_id,
        order_key,
        site_id,
        event_id,
        visitor_id
    from ranked
    where rank = 1
)

select * from final
