with

events as (
    select * from {{ ref('int_sessionized_events') }}
),

web_touches as (
    select * from {{ ref('int_web_touches') }}
    where is_landing
),

touchpoints as (
    select * from {{ ref('touchpoints') }}
),

conversions as (
    select * from {{ ref('int_counted_conversions') }}
),

bot_events as (
    select * from {{ ref('int_bot_events') }}
    where not is_excluded
),

converters as (
    select * from {{ ref('int_sampled_converters') }}
),

visitor_customers as (
    select * from {{ ref('int_visitor_customers') }}
),

shared_ids as (
    select * from {{ ref('int_shared_ids') }}
),

user_agents as (
    select * from {{ ref('stg_raw__user_agents') }}
),

addresses as (
    select * from {{ ref('stg_raw__addresses') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

conversions_by_event as (
    select
        org_id,
        session_site_id as site_id,
        session_event_id as event_id,
        count(*) as conversions
    from conversions
    where session_event_id is not null
    group by org_id, session_site_id, session_event_id
),

grouped as (
    select
        events.org_id,
        events.site_id,
        events.visitor_id,
        events.session_id,
        min(events.occurred_at) as started_at,
        max(events.occurred_at) as ended_at,
        max({{ own_customer('events') }}) as event_customer_id,
        max(events.user_agent) as user_agent,
        max(events.ip_hash) as ip_hash,
        max(events.sample_percent) as sample_percent,
        sum(case when events.type = 'PAGE_VIEW' then 1 else 0 end) as page_views,
        sum(case
            when events.type = 'PAGE_VIEW' and not events.is_replay then {{ sample_weight('events.sample_percent') }}
            else 0
        end) as weighted_page_views,
        count(*) as events,
        coalesce(sum(conversions_by_event.conversions), 0) as conversions,
        bool_or(bot_events.event_id is not null) as is_bot
    from events
    left join conversions_by_event using (org_id, site_id, event_id)
    left join bot_events using (org_id, site_id, event_id)
    left join shared_ids
        on {{ shared_customer('events') }}
    group by events.org_id, events.site_id, events.visitor_id, events.session_id
),

final as (
    select
        grouped.org_id,
        grouped.site_id,
        grouped.session_id,
        grouped.visitor_id,
        coalesce(touchpoints.customer_id, visitor_customers.customer_id, grouped.event_customer_id) as customer_id,
        grouped.started_at,
        grouped.ended_at,
        {{ reporting_date('grouped.started_at', 'orgs.timezone') }} as date,
        touchpoints.landing_url,
        touchpoints.referrer_host,
        touchpoints.channel,
        touchpoints.platform,
        touchpoints.source,
        touchpoints.medium,
        touchpoints.campaign,
        cast(grouped.page_views as bigint) as page_views,
        cast(grouped.events as bigint) as events,
        cast(grouped.conversions as bigint) as conversions,
        user_agents.browser,
        user_agents.os,
        user_agents.device_type,
        addresses.country,
        addresses.region,
        grouped.is_bot,
        cast(
            case
                when grouped.started_at <= converters.last_converted_at then 1
                else {{ sample_weight('grouped.sample_percent') }}
            end
            as decimal(9, 6)
        ) as sample_weight,
        cast(grouped.weighted_page_views as decimal(18, 6)) as weighted_page_views
    from grouped
    inner join orgs using (org_id)
    left join web_touches
        on grouped.org_id = web_touches.org_id
        and grouped.site_id = web_touches.site_id
        and grouped.session_id = web_touches.session_id
        and grouped.visitor_id is not distinct from web_touches.visitor_id
    left join touchpoints
        on web_touches.org_id = touchpoints.org_id
        and web_touches.touchpoint_id = touchpoints.touchpoint_id
    left join converters
        on grouped.org_id = converters.org_id
        and grouped.site_id = converters.site_id
        and grouped.visitor_id = converters.visitor_id
    left join visitor_customers
        on {{ known_customer('grouped', at='started_at', customer_id='touchpoints.customer_id') }}
    left join user_agents on grouped.user_agent = user_agents.user_agent
    left join addresses on grouped.ip_hash = addresses.ip_hash
)

select * from final
order by org_id, date, started_at, session_id
