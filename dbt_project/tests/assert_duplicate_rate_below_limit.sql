-- Duplicates change no figure. Many of them show a sender that repeats itself or an export that overlaps, so the test warns.
{{ config(severity='warn', meta={
    'description': 'Share of duplicates among the rows received in the 24 hours up to the latest import, by kind.',
    'dagster': {'ref': {'name': 'stg_raw__loads'}},
}) }}

with

loads as (
    select * from {{ ref('stg_raw__loads') }}
),

latest as (
    select max(loaded_at) as loaded_at from loads
),

by_kind as (
    select
        loads.kind,
        sum(loads.received_rows) as received_rows,
        sum(loads.duplicate_rows) as duplicate_rows
    from loads
    inner join latest on loads.loaded_at > {{ dbt.dateadd('hour', -24, 'latest.loaded_at') }}
    where coalesce(loads.format, '') not in ('pull', 'synced') -- pulls read the same days again each day
    group by loads.kind
)

select * from by_kind
where duplicate_rows > {{ var('duplicate_rate_limit') }} * received_rows
