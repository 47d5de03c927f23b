-- PostHog: events, as a batch export, the SQL editor, the events API or the list of events writes them.
-- source: https://posthog.com/docs/cdp/batch-exports/s3
-- source: https://posthog.com/docs/data/events
-- source: https://posthog.com/docs/data-model
-- export: Data pipelines, Destinations, a batch export (JSON lines or Parquet); or Activity, Events, Export, CSV.
-- kind: events
-- timezone: UTC
-- required: event = event | *.event
-- required: distinct_id = distinct_id | *.distinct_id | person.distinct_id
-- required: moment = timestamp | *.timestamp
-- required: uuid = uuid | *.uuid | id | *.id | event_id
-- optional: properties = properties | *.properties
-- optional: current_url = *.properties.$current_url | properties.$current_url | $current_url
-- optional: pathname = *.properties.$pathname | properties.$pathname | $pathname
-- optional: referrer = *.properties.$referrer | properties.$referrer | $referrer
-- optional: title = *.properties.title | properties.title | *.properties.$title | properties.$title
-- optional: session_id = *.properties.$session_id | properties.$session_id | $session_id
-- optional: device_id = *.properties.$device_id | properties.$device_id | $device_id
-- optional: user_id = *.properties.$user_id | properties.$user_id | $user_id
-- optional: user_agent = *.properties.$raw_user_agent | properties.$raw_user_agent | $raw_user_agent
-- optional: revenue = *.properties.revenue | properties.revenue | revenue
-- optional: amount = *.properties.value | properties.value | *.properties.total | properties.total
-- optional: currency = *.properties.currency | properties.currency | currency
-- optional: order_id = *.properties.order_id | properties.order_id | *.properties.orderId | properties.orderId | order_id
-- optional: utm_source = *.properties.utm_source | properties.utm_source | utm_source
-- optional: utm_medium = *.properties.utm_medium | properties.utm_medium | utm_medium
-- optional: utm_campaign = *.properties.utm_campaign | properties.utm_campaign | utm_campaign
-- optional: utm_content = *.properties.utm_content | properties.utm_content | utm_content
-- optional: utm_term = *.properties.utm_term | properties.utm_term | utm_term
-- optional: gclid = *.properties.gclid | properties.gclid | gclid
-- optional: fbclid = *.properties.fbclid | properties.fbclid | fbclid
-- without: anonymousId, anonymous_id, messageId, event_type
--
-- Times are UTC. `$device_id` is the visitor. Before `identify`, `distinct_id` is the same id; after it, and in events of a
-- server, it is the user's, unless it has the form of PostHog's own ids. `$initial_*` members are about earlier events, and are not
-- read. The SDK repeats referrer and campaign in all later events of the tab. So the referrer is that of the session, and utm_*
-- members and click ids count only in events without a URL. `Order Completed` and similar names are purchases, and so is an
-- event with `revenue`.
with parsed as (
    select *, case when json_valid(properties) then properties::json end as p
    from source
),

read as (
    select
        *,
        coalesce(p ->> '$."$device_id"', device_id) as device,
        coalesce(p ->> '$."$user_id"', user_id) as named_user,
        coalesce(p ->> '$."$is_identified"', 'true') as is_identified,
        coalesce(p ->> '$.revenue', p ->> '$."$revenue"', revenue) as sale,
        coalesce(p ->> '$."$current_url"', current_url) as page_url,
        nullif(coalesce(p ->> '$."$session_entry_referrer"', p ->> '$."$referrer"', referrer), '$direct') as page_referrer
    from parsed
),

named as (
    select
        *,
        meaning_of_event(event, sale) as meaning,
        case
            when named_user is not null then named_user
            when event in ('$identify', '$create_alias') or distinct_id <> device then distinct_id
            when device is null and is_identified <> 'false'
                and not regexp_matches(distinct_id, '^(\$posthog_.*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{10,}(-[0-9a-f]+){3,4})$')
                then distinct_id
        end as user_id_of_event
    from read
)

select
    _row,
    uuid as event_id,
    'posthog' as site_id,
    case when event = '$identify' then 'IDENTIFY' else type_of_meaning(meaning) end as type,
    moment as occurred_at,
    coalesce(device, p ->> '$."$anon_distinct_id"', distinct_id) as anon_id,
    coalesce(p ->> '$."$session_id"', session_id) as session_id,
    user_id_of_event as user_id,
    page_url as url,
    coalesce(p ->> '$."$pathname"', pathname) as path,
    page_referrer as referrer,
    coalesce(p ->> '$."$raw_user_agent"', user_agent) as user_agent,
    case
        when meaning in ('purchase', 'lead') then first_amount([sale, p ->> '$.total', p ->> '$.value', p ->> '$.amount', amount])
        when meaning = 'refund'
            then ltrim(first_amount([p ->> '$.refund_amount', p ->> '$.total', p ->> '$.value', p ->> '$.amount', amount, sale]), '-')
    end as value,
    case when meaning in ('purchase', 'lead', 'refund') then coalesce(p ->> '$.currency', p ->> '$."$currency"', currency) end as currency,
    coalesce(p ->> '$.order_id', p ->> '$.orderId', p ->> '$.transaction_id', order_id) as order_id,
    case when meaning in ('purchase', 'lead') then meaning end as conversion_type,
    coalesce(p ->> '$.title', p ->> '$."$title"', title) as title,
    case when page_url is null then coalesce(p ->> '$.utm_source', utm_source) end as source,
    case when page_url is null then coalesce(p ->> '$.utm_medium', utm_medium) end as medium,
    case when page_url is null then coalesce(p ->> '$.utm_campaign', utm_campaign) end as campaign,
    case when page_url is null then coalesce(p ->> '$.utm_content', utm_content) end as content,
    case when page_url is null then coalesce(p ->> '$.utm_term', utm_term) end as term,
    case
        when page_url is null
            then coalesce(
                click_ids_of(p), nullif(concat_ws('&', 'gclid=' || url_encode(gclid), 'fbclid=' || url_encode(fbclid)), '')
            )
    end as click_ids,
    json_merge_patch(coalesce(own_members(p), '{}'), json_object('event_name', event)) as properties
from named
