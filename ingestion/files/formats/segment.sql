-- Segment's track and page calls (NDJSON as the API sends it, or CSV of a warehouse table) -> events.
-- Order Completed is a purchase; other track calls are CUSTOM events.
-- optional: messageId, id, type, event, event_text, name, timestamp, receivedAt, received_at, anonymousId, anonymous_id, userId, user_id
-- optional: context, properties, context_page_url, url, context_page_path, path, context_page_referrer, referrer
-- optional: context_user_agent, projectId, source_id, revenue, total, currency, order_id
with calls as (
    select
        *,
        case when json_valid(context) then context::json end as c,
        case when json_valid(properties) then properties::json end as p,
        coalesce(event_text, event) as call
    from source
    -- identify, group, alias and screen calls are not web events
    where coalesce(type, 'track') in ('track', 'page')
)

select
    _row,
    coalesce(messageId, id) as event_id,
    coalesce(projectId, source_id, 'segment') as site_id,
    case
        when type = 'page' or (type is null and call is null) then 'PAGE_VIEW'
        when lower(replace(call, '_', ' ')) = 'order completed' then 'CONVERSION'
        else 'CUSTOM'
    end as type,
    -- times of a warehouse table are UTC without a zone
    regexp_replace(coalesce("timestamp", receivedAt, received_at), '(:\d\d(\.\d+)?)$', '\1Z') as occurred_at,
    coalesce(anonymousId, anonymous_id, userId, user_id) as anon_id,
    null as session_id,
    coalesce(userId, user_id) as user_id,
    coalesce(c ->> '$.page.url', p ->> '$.url', context_page_url, url) as url,
    coalesce(c ->> '$.page.path', p ->> '$.path', context_page_path, path) as path,
    coalesce(c ->> '$.page.referrer', p ->> '$.referrer', context_page_referrer, referrer) as referrer,
    coalesce(c ->> '$.userAgent', context_user_agent) as user_agent,
    case when lower(replace(call, '_', ' ')) = 'order completed'
        then coalesce(p ->> '$.revenue', p ->> '$.total', revenue, total) end as value,
    case when lower(replace(call, '_', ' ')) = 'order completed' then coalesce(p ->> '$.currency', currency) end as currency,
    coalesce(p ->> '$.order_id', order_id) as order_id,
    case when lower(replace(call, '_', ' ')) = 'order completed' then 'purchase' end as conversion_type,
    json_merge_patch(coalesce(p, '{}'), json_object('event_name', coalesce(call, name))) as properties
from calls
