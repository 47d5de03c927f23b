{%- set visitor = 'partition by org_id, site_id, visitor_id' -%}
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
        row_number() over in_order as event_number,
        lag(occurred_at) over in_order as previous_occurred_at,
        lag(session_id) over in_order as previous_session_id
    from with_link
    where visitor_id is not null
    window in_order as ({{ visitor }} order by occurred_at, type_rank, event_id)
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

-- Maxima, because DuckDB's last_value with `ignore nulls` needs seconds for a visitor with 300,000 events.
with_last_campaign as (
    select
        *,
        max(case when is_after_gap = 1 then event_number end) over so_far as visit_start,
        {{ last_known('campaign_key', 'event_number') }} over earlier as last_campaign_key,
        max(case when campaign_key is not null then event_number end) over earlier as last_campaign_number
    from with_gap
    window
        so_far as ({{ visitor }} order by event_number rows between unbounded preceding and current row),
        earlier as ({{ visitor }} order by event_number rows between unbounded preceding and 1 preceding)
),

with_current_campaign as (
    select
        *,
        case when last_campaign_number >= visit_start then last_campaign_key end as current_campaign_key
    from with_last_campaign
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
        max(case when is_start = 1 then event_number end) over so_far as segment_start,
        max_by(
            case
                when is_start = 1
                    then coalesce(session_id, {{ hash_key(['org_id', 'site_id', 'visitor_id', 'event_id']) }})
            end,
            case when is_start = 1 then event_number end
        ) over so_far as segment_session_id
    from with_start
    window so_far as ({{ visitor }} order by event_number rows between unbounded preceding and current row)
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
        coalesce(session_id, segment_session_id) as session_id,
        event_number,
        page_url,
        coalesce(first_link_id, link_id) as link_id,
        referrer,
        user_agent,
        link_id is not null or type = 'PAGE_VIEW' as is_page,
        campaign_key,
        campaign_key is null
        and is_tagged
        and {{ is_new_campaign('link_campaign_key', 'current_campaign_key') }} as is_own_campaign,
        segment_start > 1 as is_later_session,
        segment_start > visit_start as continues_visit,
        sample_percent,
        is_replay,
        ip_hash
    from with_segment

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
        1 as event_number,
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
