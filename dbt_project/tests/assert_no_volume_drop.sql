-- A missing tag loses touches and conversions without an error. The test compares the site's last complete day, in the org's
-- zone, with the same weekday of the four weeks before, because weekdays differ.
{{ config(severity='warn', meta={
    'description': 'Events of a site on the last complete day, compared with the median of the same weekday in the four weeks before.',
    'dagster': {'ref': {'name': 'stg_raw__events'}},
}) }}

with

events as (
    select * from {{ ref('stg_raw__events') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

latest as (
    select
        org_id,
        max(occurred_at) as occurred_at
    from events
    group by org_id
),

-- The org's latest day can be incomplete. The day before it is complete.
by_day as (
    select
        events.org_id,
        events.site_id,
        {{ reporting_date('events.occurred_at', 'orgs.timezone') }} as date,
        {{ dbt.dateadd('day', -1, reporting_date('max(latest.occurred_at)', 'orgs.timezone')) }} as last_complete_date,
        count(*) as event_count
    from events
    inner join orgs using (org_id)
    inner join latest
        on events.org_id = latest.org_id
        and events.occurred_at > {{ dbt.dateadd('day', -31, 'latest.occurred_at') }}
    group by events.org_id, events.site_id, {{ reporting_date('events.occurred_at', 'orgs.timezone') }}, orgs.timezone
),

compared as (
    select
        org_id,
        site_id,
        cast(last_complete_date as date) as date,
        sum(case when days_before = 0 then event_count else 0 end) as event_count,
        count(case when days_before > 0 then 1 end) as weekday_count,
        median(case when days_before > 0 then event_count end) as usual_event_count
    from (
        select
            *,
            {{ dbt.datediff('date', 'last_complete_date', 'day') }} as days_before
        from by_day
    ) as with_age
    where days_before in (0, 7, 14, 21, 28)
    group by org_id, site_id, last_complete_date
)

select * from compared
where weekday_count >= 2
    and usual_event_count >= {{ var('volume_drop_min_events') }}
    and event_count < {{ var('volume_drop_share') }} * usual_event_count
