-- Segment: calls of Segment and RudderStack, as the API sends them or as a warehouse table has them.
-- source: https://segment.com/docs/connections/spec/ecommerce/v2/
-- source: https://segment.com/docs/connections/storage/warehouses/schema/
-- source: https://www.rudderstack.com/docs/destinations/warehouse-destinations/warehouse-schema/
-- export: an archive of raw calls (NDJSON), or a table such as pages, tracks or order_completed (CSV, Parquet)
-- kind: events
-- required: call_id = messageId | message_id | id
-- required: caller = anonymousId | anonymous_id | userId | user_id
-- required: called_at = timestamp | originalTimestamp | original_timestamp | receivedAt | received_at | sentAt | sent_at
-- required: call_context = context | context_page_url | context_page_path | context_library_name | context_user_agent | context_ip
-- optional: messageId, id, type, event, event_text, name, anonymousId, anonymous_id, userId, user_id, projectId, source_id
-- optional: timestamp, originalTimestamp, original_timestamp, receivedAt, received_at, sentAt, sent_at
-- optional: context, properties, context_page_url, url, context_page_path, path, context_page_search, search
-- optional: context_page_referrer, referrer, context_user_agent, context_campaign_source, context_campaign_medium
-- optional: context_campaign_name, context_campaign_id, context_campaign_content, context_campaign_term
-- optional: revenue, total, value, currency, order_id, products
--
-- `Order Completed` is a purchase. `Order Refunded` returns its total, without a total its products, and without both the
-- whole order, as `Order Cancelled` does. Other track calls are CUSTOM events. The names of calls vary in case, separators and
-- the order of the two words (`Completed Order` of version 1). Times of warehouse tables are UTC without a zone.
-- RudderStack's `channel` is a kind of device, and is not read.
with calls as (
    select
        *,
        case when json_valid(context) then context::json end as c,
        case when json_valid(properties) then properties::json end as p,
        case when json_valid(products) then products::json end as lines,
        coalesce(event_text, event) as call,
        case regexp_replace(lower(coalesce(event_text, event)), '[^a-z]', '', 'g')
            when 'ordercompleted' then 'completed'
            when 'completedorder' then 'completed'
            when 'orderrefunded' then 'refunded'
            when 'refundedorder' then 'refunded'
            when 'ordercancelled' then 'cancelled'
            when 'ordercanceled' then 'cancelled'
            when 'cancelledorder' then 'cancelled'
            when 'canceledorder' then 'cancelled'
        end as order_event,
        coalesce(
            "timestamp", originalTimestamp, original_timestamp, receivedAt, received_at, sentAt, sent_at
        ) as moment
    from source
    -- identify, group, alias and screen calls are not web events, nor are the rows of their tables
    where coalesce(type, case when coalesce(event_text, event) is not null then 'track' else 'page' end) in ('track', 'page')
        and coalesce(type, event_text, event, properties, url, path, name) is not null
),

read as (
    select
        *,
        coalesce(c ->> '$.page.url', p ->> '$.url', context_page_url, url) as page_url,
        coalesce(c ->> '$.page.search', p ->> '$.search', context_page_search, search) as page_search,
        list_filter(
            [p ->> '$.revenue', p ->> '$.total', p ->> '$.value', revenue, total, "value"], lambda amount: amount is not null
        ) as amounts,
        list_sum(list_transform(json_extract(coalesce(p -> '$.products', lines), '$[*]'), lambda line:
            try_cast(line ->> '$.price' as decimal(18, 6)) * coalesce(try_cast(line ->> '$.quantity' as integer), 1)
        ))::varchar as line_total
    from calls
)

select
    _row,
    coalesce(messageId, id) as event_id,
    coalesce(projectId, source_id, 'segment') as site_id,
    case
        when type = 'page' or (type is null and call is null) then 'PAGE_VIEW'
        when order_event = 'completed' then 'CONVERSION'
        when order_event in ('refunded', 'cancelled') then 'REFUND'
        else 'CUSTOM'
    end as type,
    regexp_replace(moment, '^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?)$', '\1Z') as occurred_at,
    coalesce(anonymousId, anonymous_id, userId, user_id) as anon_id,
    null as session_id,
    coalesce(userId, user_id) as user_id,
    -- the address of a page can be its canonical one, without the parameters that it was opened with
    case
        when contains(page_url, '?') or page_search not like '?%' or page_search is null then page_url
        else regexp_extract(page_url, '^[^#]*') || page_search || regexp_extract(page_url, '#.*$')
    end as url,
    coalesce(c ->> '$.page.path', p ->> '$.path', context_page_path, path) as path,
    coalesce(c ->> '$.page.referrer', p ->> '$.referrer', context_page_referrer, referrer) as referrer,
    coalesce(c ->> '$.userAgent', context_user_agent) as user_agent,
    case
        -- a zero is the amount only if no other member has one
        when order_event = 'completed' then coalesce(
            list_extract(list_filter(amounts, lambda amount: try_cast(amount as double) is distinct from 0), 1),
            amounts[1]
        )
        -- the revenue of a refund is that of its order, the total is the refunded amount
        when order_event = 'refunded' then ltrim(coalesce(p ->> '$.total', total, line_total, amounts[1]), '-')
    end as value,
    case when order_event is not null then coalesce(p ->> '$.currency', currency) end as currency,
    coalesce(p ->> '$.order_id', p ->> '$.orderId', order_id) as order_id,
    case when order_event = 'completed' then 'purchase' end as conversion_type,
    coalesce(c ->> '$.campaign.source', context_campaign_source) as source,
    coalesce(c ->> '$.campaign.medium', context_campaign_medium) as medium,
    coalesce(c ->> '$.campaign.name', context_campaign_name) as campaign,
    coalesce(c ->> '$.campaign.id', context_campaign_id) as campaign_id,
    coalesce(c ->> '$.campaign.content', context_campaign_content) as content,
    coalesce(c ->> '$.campaign.term', context_campaign_term) as term,
    json_merge_patch(coalesce(p, '{}'), json_object('event_name', coalesce(call, name))) as properties
from read
