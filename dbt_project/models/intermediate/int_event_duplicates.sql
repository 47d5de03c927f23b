with

events as (
    select * from {{ ref('stg_raw__events') }}
    where not has_own_id and visitor_id is not null
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
                visitor_id,
                session_id,
                entity_type,
                entity_id,
                coalesce(url, path),
                value_micros,
                order_id,
                {{ dbt.date_trunc('second', 'occurred_at') }}
            order by occurred_at, event_id
        ) as first_event_id,
    from events
),

final as (
    select
        org_id,
        site_id,
        event_id,
        occurred_at,
        first_event_id as duplicate_of_event_id,
    from fingerprinted
    where event_id <> first_event_id
)

select * from final
