with

events as (
    select * from {{ ref('stg_raw__events') }}
),

user_agents as (
    select * from {{ ref('stg_raw__user_agents') }}
),

sites as (
    select * from {{ ref('stg_raw__sites') }}
),

-- A browser that a program drives, or that opens pages faster than a person can, is a bot on every page.
automated as (
    select
        org_id,
        site_id,
        visitor_id,
        'webdriver' as evidence
    from events
    where visitor_id is not null
        and properties like '%"webdriver"%'
        and {{ json_text('properties', 'webdriver') }} = 'true'

    union all

    select
        org_id,
        site_id,
        visitor_id,
        'pace' as evidence
    from events
    where visitor_id is not null and type = 'PAGE_VIEW' and not is_replay
    group by org_id, site_id, visitor_id, {{ dbt.date_trunc('minute', 'occurred_at') }}
    having count(*) > {{ var('bot_page_views_per_minute') }}
),

-- One row for each visitor, because the join below repeats each row for all of the visitor's events.
automated_visitors as (
    select
        org_id,
        site_id,
        visitor_id,
        max(evidence) as evidence
    from automated
    group by org_id, site_id, visitor_id
),

evidence as (
    select
        events.org_id,
        events.site_id,
        events.event_id,
        events.type in ('CONVERSION', 'REFUND') as is_order,
        'user_agent' as evidence
    from events
    inner join user_agents using (user_agent)
    where user_agents.is_bot

    union all

    select
        events.org_id,
        events.site_id,
        events.event_id,
        events.type in ('CONVERSION', 'REFUND') as is_order,
        automated_visitors.evidence
    from events
    inner join automated_visitors using (org_id, site_id, visitor_id)

    union all

    -- An event without consent has no visitor, so its own properties decide.
    select
        org_id,
        site_id,
        event_id,
        type in ('CONVERSION', 'REFUND') as is_order,
        'webdriver' as evidence
    from events
    where visitor_id is null
        and properties like '%"webdriver"%'
        and {{ json_text('properties', 'webdriver') }} = 'true'
),

-- A list of user agents can be wrong about a person, and money is certain. So an order of such an agent counts, unless its
-- visitor behaves like a bot, too.
final as (
    select
        evidence.org_id,
        evidence.site_id,
        evidence.event_id,
        max(evidence.evidence) as evidence,
        coalesce(bool_and(sites.exclude_bots), true)
            and not bool_and(evidence.is_order and evidence.evidence = 'user_agent') as is_excluded,
        not coalesce(bool_and(sites.exclude_bots), true) as may_touch
    from evidence
    left join sites using (org_id, site_id)
    group by evidence.org_id, evidence.site_id, evidence.event_id
)

select * from final
