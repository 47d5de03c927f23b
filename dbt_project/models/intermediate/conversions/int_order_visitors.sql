with

events as (
    select * from {{ ref('int_events') }}
    where order_id is not null and visitor_id is not null and type <> 'REFUND'
),

ranked as (
    select
        *,
        row_number() over (
            partition by org_id, order_id
            order by
                case type when 'CHECKOUT_COMPLETED' then 1 when 'CHECKOUT_STARTED' then 2 else 3 end,
                occurred_at,
                site_id,
                event_id
        ) as rank
    from events
),

final as (
    select
        org_id,
        order_id,
        site_id,
        event_id,
        visitor_id
    from ranked
    where rank = 1
)

select * from final
