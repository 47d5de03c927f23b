{%- set visitor = 'partition by org_id, site_id, visitor_id' -%}
{%- set in_order = 'order by occurred_at, type_rank, event_id' -%}
with

events as (
    select
        org_id,
        site_id,
        event_id,
        type,
        occurred_at,
        visitor_id,
        customer_id,
        session_id,
        coalesce(url, path) as page_url,
        link_id,
        referrer,
        user_agent,
        sample_percent,
        is_replay,
        ip_hash,
        case when type = 'PAGE_VIEW' then 0 else 1 end as type_rank
    from {{ ref('int_events') }}
),

links as (
    select
        link_id,
        {{ without_www('host') }} as host,
        campaign_key,
        is_tagged
    from {{ ref('int_links') }}
),

referrers as (
    select
        org_id,
        referrer,
        {{ without_www('host') }} as host,
        is_internal
    from {{ ref('int_referrers') }}
),

sites as (
    select * from {{ ref('stg_raw__sites') }}
),

-- A link on an own page continues the visit, even with campaign parameters. Only events with a campaign need their referrer.
with_link as (
    select
        events.*,
        links.campaign_key as link_campaign_key,
        links.is_tagged,
        coalesce(
            (referrers.is_internal or referrers.host = links.host)
            and not coalesce(sites.count_own_links, false),
            false
        ) as is_own_link
    from events
    left join links using (link_id)
    left join referrers
        on events.org_id = referrers.org_id
        and case when links.campaign_key is not null then events.referrer end = referrers.referrer
    left join sites
        on events.org_id = sites.org_id
        and events.site_id = sites.site_id
),

with_previous as (
    select
        *,
        lag(occurred_at) over ({{ visitor }} {{ in_order }}) as previous_occurred_at,
        lag(session_id) over ({{ visitor }} {{ in_order }}) as previous_session_id
    from with_link
    where visitor_id is not null
),

-- The first link of a visitor counts in any case: a campaign can lead to an own page without the tracker first. It is the link of
-- the previous page where the visitor arrived there before the consent.
with_campaign as (
    select
        with_previous.*,
        first_links.link_id as first_link_id,
        case
            when not with_previous.is_own_link or with_previous.previous_occurred_at is null
                then coalesce(with_previous.link_campaign_key, first_links.campaign_key)
        end as campaign_key
    from with_previous
    left join referrers as first_referrers
        on with_previous.org_id = first_referrers.org_id
        and case
            when with_previous.previous_occurred_at is null and with_previous.link_campaign_key is null
                then with_previous.referrer
        end = first_referrers.referrer
        and first_referrers.is_internal
    left join links as first_links
        on first_referrers.referrer = first_links.link_id
        and first_links.campaign_key is not null
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
            when {{ is_new_campaign('campaign_key', 'current_campaign_key') }} then 1
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
        first_value(is_after_gap) over segment = 0 as continues_visit,
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
        coalesce(first_link_id, link_id) as link_id,
        referrer,
        user_agent,
        link_id is not null or type = 'PAGE_VIEW' as is_page,
        campaign_key,
        campaign_key is null
        and is_tagged
        and {{ is_new_campaign('link_campaign_key', 'current_campaign_key') }} as is_own_campaign,
        segment_number > 1 as is_later_session,
        continues_visit,
        sample_percent,
        is_replay,
        ip_hash
    from with_first_event

    union all

    -- Events without a visitor cannot be grouped by person: each is one session.
    select
        with_link.org_id,
        with_link.site_id,
        with_link.event_id,
        with_link.type,
        with_link.occurred_at,
        with_link.visitor_id,
        with_link.customer_id,
        {{ hash_key(['with_link.org_id', 'with_link.site_id', 'with_link.event_id']) }} as session_id,
        with_link.page_url,
        with_link.link_id,
        with_link.referrer,
        with_link.user_agent,
        with_link.link_id is not null or with_link.type = 'PAGE_VIEW' as is_page,
        case when not with_link.is_own_link then with_link.link_campaign_key end as campaign_key,
        with_link.is_own_link and with_link.is_tagged as is_own_campaign,
        false as is_later_session,
        false as continues_visit,
        with_link.sample_percent,
        with_link.is_replay,
        with_link.ip_hash
    from with_link
    where with_link.visitor_id is null
)

select * from final
