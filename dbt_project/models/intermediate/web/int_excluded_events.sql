{{ config(materialized='view') }}

with

bot_events as (
    select * from {{ ref('int_bot_events') }}
    where is_excluded
),

duplicates as (
    select * from {{ ref('int_event_duplicates') }}
),

final as (
    select
        org_id,
        site_id,
        event_id,
        'bot' as reason
    from bot_events

    union all

    select
        duplicates.org_id,
        duplicates.site_id,
        duplicates.event_id,
        'probable_duplicate' as reason
    from duplicates
    left join bot_events using (org_id, site_id, event_id)
    where bot_events.event_id is null
)

select * from final
