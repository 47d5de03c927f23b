{#- A view: few events are excluded, so that a stored copy would repeat almost all of raw.events. -#}
{{ config(materialized='view') }}

with

events as (
    select * from {{ ref('stg_raw__events') }}
),

bot_events as (
    select * from {{ ref('int_bot_events') }}
    where is_excluded
),

duplicates as (
    select * from {{ ref('int_event_duplicates') }}
),

final as (
    select events.*
    from events
    left join bot_events using (org_id, site_id, event_id)
    left join duplicates using (org_id, site_id, event_id)
    where bot_events.event_id is null and duplicates.event_id is null
)

select * from final
