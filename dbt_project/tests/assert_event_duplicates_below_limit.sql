-- The models count a probable duplicate once. Many of them show a tag that fires twice, or a server that sends no event ids.
{{ config(severity='warn', meta={
    'description': 'Share of probable duplicates among a site\'s events of a day, UTC.',
    'dagster': {'ref': {'name': 'int_event_duplicates'}},
}) }}

with

events as (
    select * from {{ ref('stg_raw__events') }}
),

duplicates as (
    select * from {{ ref('int_event_duplicates') }}
),

duplicates_by_day as (
    select
        org_id,
        site_id,
        cast(occurred_at as date) as date,
        count(*) as duplicate_count
    from duplicates
    group by org_id, site_id, cast(occurred_at as date)
),

by_day as (
    select
        duplicates_by_day.org_id,
        duplicates_by_day.site_id,
        duplicates_by_day.date,
        duplicates_by_day.duplicate_count,
        count(*) as event_count
    from duplicates_by_day
    inner join events
        on duplicates_by_day.org_id = events.org_id
        and duplicates_by_day.site_id = events.site_id
        and duplicates_by_day.date = cast(events.occurred_at as date)
    group by
        duplicates_by_day.org_id,
        duplicates_by_day.site_id,
        duplicates_by_day.date,
        duplicates_by_day.duplicate_count
)

select * from by_day
where duplicate_count > {{ var('duplicate_rate_limit') }} * event_count
