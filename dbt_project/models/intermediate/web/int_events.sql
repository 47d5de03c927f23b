{#- A view: what is left out is little, and the rest needs no copy of its own. -#}
{{ config(materialized='view') }}

with

events as (
    select * from {{ ref('stg_raw__events') }}
),

left_out as (
    select * from {{ ref('int_excluded_events') }}
),

final as (
    select events.*
    from events
    left join left_out using (org_id, site_id, event_id)
    where left_out.event_id is null
)

select * from final
