with

events as (
    select * from {{ ref('stg_raw__events') }}
    where not has_sender_id and coalesce(visitor_id, customer_id, email_hash, order_id) is not null
),

fingerprinted as (
    select
        org_id,
        site_id,
        event_id,
        occurred_at,
        first_value(event_id) over (
            partition by
                org_id,
                site_id,
                type,
                conversion_type,
                visitor_id,
                customer_id,
                email_hash,
                session_id,
                entity_type,
                entity_id,
                link_id,
                value_micros,
                currency,
                order_id,
                properties,
                {{ dbt.date_trunc('second', 'occurred_at') }}
            order by occurred_at, event_id
        ) as first_event_id
    from events
),

final as (
    select
        org_id,
        site_id,
        event_id,
        occurred_at,
        first_event_id as duplicate_of_event_id
    from fingerprinted
    where event_id <> first_event_id
)

select * from final
