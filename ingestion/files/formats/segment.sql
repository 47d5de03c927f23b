-- Segment: track and page calls (NDJSON as the API sends it, or CSV of a warehouse table).
-- kind: events
-- Order Completed is a purchase; Order Refunded and Order Cancelled are refunds, of the whole order if they have no amount.
-- Other track calls are CUSTOM events. The names of calls vary in case, separators and the order of the two words.
-- optional: messageId, id, type, event, event_text, name, timestamp, originalTimestamp, receivedAt, received_at, anonymousId, anonymous_id, userId, user_id
-- optional: context, properties, context_page_url, url, context_page_path, path, context_page_referrer, referrer
-- optional: context_user_agent, projectId, source_id, revenue, total, value, currency, order_id
with calls as (
    select
        *,
        case when json_valid(context) then context::json end as c,
        case when json_valid(properties) then properties::json end as p,
        coalesce(event_text, event) as call,
        case regexp_replace(lower(coalesce(event_text, event)), '[^a-z]', '', 'g')
            when 'ordercompleted' then 'CONVERSION'
            when 'completedorder' then 'CONVERSION'
            when 'orderrefunded' then 'REFUND'
            when 'refundedorder' then 'REFUND'
            when 'ordercancelled' then 'REFUND'
            when 'ordercanceled' then 'REFUND'
            when 'cancelledorder' then 'REFUND'
            when 'canceledorder' then 'REFUND'
        end as order_event,
        list_filter(
            [p ->> '$.revenue', p ->> '$.total', p ->> '$.value', revenue, total, "value"], lambda amount: amount is not null
        ) as amounts,
        coalesce("timestamp", originalTimestamp, receivedAt, received_at) as moment
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
        else coalesce(order_event, 'CUSTOM')
    end as type,
    -- times of a warehouse table are UTC without a zone
    regexp_replace(moment, '^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?)$', '\1Z') as occurred_at,
    coalesce(anonymousId, anonymous_id, userId, user_id) as anon_id,
    null as session_id,
    coalesce(userId, user_id) as user_id,
    coalesce(c ->> '$.page.url', p ->> '$.url', context_page_url, url) as url,
    coalesce(c ->> '$.page.path', p ->> '$.path', context_page_path, path) as path,
    coalesce(c ->> '$.page.referrer', p ->> '$.referrer', context_page_referrer, referrer) as referrer,
    coalesce(c ->> '$.userAgent', context_user_agent) as user_agent,
    case
        -- a zero is the amount only if no other member has one
        when order_event = 'CONVERSION' then coalesce(
            list_extract(list_filter(amounts, lambda amount: try_cast(amount as double) is distinct from 0), 1),
            amounts[1]
        )
        -- the revenue of a refund is that of its order, the total is the refunded amount
        when order_event = 'REFUND' then coalesce(p ->> '$.total', total, amounts[1])
    end as value,
    case when order_event is not null then coalesce(p ->> '$.currency', currency) end as currency,
    coalesce(p ->> '$.order_id', p ->> '$.orderId', order_id) as order_id,
    case when order_event = 'CONVERSION' then 'purchase' end as conversion_type,
    json_merge_patch(coalesce(p, '{}'), json_object('event_name', coalesce(call, name))) as properties
from calls
