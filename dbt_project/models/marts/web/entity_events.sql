with

events as (
    select * from {{ ref('int_events') }}
    where entity_type is not null and entity_id is not null
),

entities as (
    select
        *,
        lead(valid_from) over (partition by org_id, entity_type, entity_id order by valid_from) as valid_until
    from {{ ref('stg_raw__entities') }}
),

final as (
    select
        events.org_id,
        events.site_id,
        events.event_id,
        events.type,
        events.occurred_at,
        events.visitor_id,
        events.entity_type,
        events.entity_id,
        entities.valid_from,
        entities.attributes
    from events
    left join entities
        on events.org_id = entities.org_id
        and events.entity_type = entities.entity_type
        and events.entity_id = entities.entity_id
        and events.occurred_at >= entities.valid_from
        and (events.occurred_at < entities.valid_until or entities.valid_until is null)
)

select * from final
order by org_id, occurred_at, site_id, event_id
