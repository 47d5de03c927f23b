{%- set visitor = 'partition by org_id, site_id, visitor_id' -%}
{%- set in_order = 'order by occurred_at, type_rank, event_id' -%}
with

events as (
    select
        *,
        coalesce(url, path) as page_url,
        case when type = 'PAGE_VIEW' then 0 else 1 end as type_rank
    from {{ ref('int_events') }}
),

urls as (
    select * from {{ ref('int_urls') }}
),

with_campaign as (
    select
        events.*,
        urls.campaign_key,
        lag(events.occurred_at) over ({{ visitor }} {{ in_order }}) as previous_occurred_at,
        lag(events.session_id) over ({{ visitor }} {{ in_order }}) as previous_session_id
    from events
    left join urls using (page_url)
    where events.visitor_id is not null
),

with_gap as (
    select
        *,
        case
            when occurred_at
                <= {{ dbt.dateadd('minute', var('session_timeout_minutes'), 'previous_occurred_at') }} then 0
            else 1
        end as is_after_gap
    from with_campaign
),

with_visit as (
    select
        *,
        sum(is_after_gap) over ({{ visitor }} {{ in_order }} rows unbounded preceding) as visit_number
    from with_gap
),

with_current_campaign as (
    select
        *,
        {{ last_non_null('campaign_key') }} over (
            partition by org_id, site_id, visitor_id, visit_number
            {{ in_order }}
            rows between unbounded preceding and 1 preceding
        ) as current_campaign_key
    from with_visit
),

-- The tracker's session id stays. An event without one continues the visitor's session, unless too much time has passed or
-- the page has another campaign.
with_start as (
    select
        *,
        case
            when is_after_gap = 1 then 1
            when session_id is not null then case when session_id = previous_session_id then 0 else 1 end
            when campaign_key is distinct from current_campaign_key and campaign_key is not null then 1
            else 0
        end as is_start
    from with_current_campaign
),

with_segment as (
    select
        *,
        sum(is_start) over ({{ visitor }} {{ in_order }} rows unbounded preceding) as segment_number
    from with_start
),

with_first_event as (
    select
        *,
        first_value(event_id) over segment as first_event_id,
        first_value(session_id) over segment as segment_session_id
    from with_segment
    window segment as (
        partition by org_id, site_id, visitor_id, segment_number
        {{ in_order }}
        rows between unbounded preceding and current row
    )
),

final as (
    select
        org_id,
        site_id,
        event_id,
        type,
        occurred_at,
        visitor_id,
        customer_id,
        coalesce(
            session_id,
            segment_session_id,
            {{ hash_key(['org_id', 'site_id', 'visitor_id', 'first_event_id']) }}
        ) as session_id,
        page_url,
        referrer,
        user_agent,
        page_url is not null or type = 'PAGE_VIEW' as is_page,
        campaign_key,
        sample_percent,
        is_replay,
        ip_hash
    from with_first_event

    union all

    -- Events without a visitor cannot be grouped by person: each is one session.
    select
        events.org_id,
        events.site_id,
        events.event_id,
        events.type,
        events.occurred_at,
        events.visitor_id,
        events.customer_id,
        {{ hash_key(['events.org_id', 'events.site_id', 'events.event_id']) }} as session_id,
        events.page_url,
        events.referrer,
        events.user_agent,
        events.page_url is not null or events.type = 'PAGE_VIEW' as is_page,
        urls.campaign_key,
        events.sample_percent,
        events.is_replay,
        events.ip_hash
    from events
    left join urls using (page_url)
    where events.visitor_id is null
)

select * from final
