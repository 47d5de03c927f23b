-- Mixpanel: events, as the raw export writes them (JSON lines).
-- source: https://docs.mixpanel.com/reference/raw-event-export
-- source: https://docs.mixpanel.com/docs/export-methods
-- source: https://docs.mixpanel.com/docs/data-structure/property-reference/default-properties
-- export: https://data.mixpanel.com/api/2.0/export?from_date=...&to_date=... (data-eu and data-in in other regions), with a service account.
-- kind: events
-- timezone: UTC
-- required: event, properties
-- without: uuid, id, distinct_id, messageId, message_id, anonymousId, anonymous_id, type, timestamp, event_type, user_id, userId
--
-- `time` is in seconds or milliseconds since 1970. Projects created before 2023 count it in the project's time zone: state
-- that zone with --timezone. `$device_id` is the visitor and `$user_id` the user; in older projects `distinct_id` is both.
-- The SDK repeats the last campaign in every later event, so utm_* members and click ids count only in events without a URL.
-- `$initial_*` and `initial_*` members are about earlier events, and are not read. `Order Completed` and similar names are
-- purchases, and so is an event with `revenue`. The export repeats events; `$insert_id` makes them one.
with parsed as (
    select *, case when json_valid(properties) then properties::json end as p
    from source
),

read as (
    select
        *,
        p ->> '$.distinct_id' as distinct_id,
        p ->> '$."$device_id"' as device,
        coalesce(p ->> '$."$user_id"', p ->> '$.user_id') as named_user,
        coalesce(p ->> '$.revenue', p ->> '$.Revenue', p ->> '$."$revenue"') as sale,
        -- the SDKs write the page of other events to $current_url, and of page views to current_url_*
        coalesce(
            p ->> '$."$current_url"', p ->> '$.current_url', p ->> '$.current_page_url', p ->> '$.url',
            coalesce(p ->> '$.current_url_protocol', 'https:') || '//' || (p ->> '$.current_domain')
            || coalesce(p ->> '$.current_url_path', '/') || coalesce(p ->> '$.current_url_search', '')
        ) as page_url
    from parsed
),

named as (
    select
        *,
        meaning_of_event(event, sale) as meaning,
        case when page_url is null then p end as campaign
    from read
)

select
    _row,
    coalesce(p ->> '$."$insert_id"', md5(concat_ws('|', event, distinct_id, p ->> '$.time', p::varchar))) as event_id,
    'mixpanel' as site_id,
    case when event = '$identify' then 'IDENTIFY' else type_of_meaning(meaning) end as type,
    time_of_epoch(p ->> '$.time') as occurred_at,
    coalesce(device, p ->> '$."$anon_distinct_id"', regexp_replace(distinct_id, '^\$device:', '')) as anon_id,
    null as session_id,
    coalesce(
        named_user,
        case
            when distinct_id = device or distinct_id like '$device:%' then null
            when device is not null or not regexp_matches(
                distinct_id, '^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{10,}(-[0-9a-f]+){3,4})$'
            ) then distinct_id
        end
    ) as user_id,
    page_url as url,
    p ->> '$.current_url_path' as path,
    nullif(coalesce(p ->> '$."$referrer"', p ->> '$.referrer'), '$direct') as referrer,
    null as user_agent,
    case
        when meaning in ('purchase', 'lead') then first_amount([
            sale, p ->> '$.total', p ->> '$.value', p ->> '$.amount', p ->> '$."$amount"', p ->> '$."Order Total"', p ->> '$.Amount'
        ])
        when meaning = 'refund' then ltrim(first_amount([
            p ->> '$.refund_amount', p ->> '$.total', p ->> '$.value', p ->> '$.amount', p ->> '$."$amount"', sale
        ]), '-')
    end as value,
    case
        when meaning in ('purchase', 'lead', 'refund') then coalesce(p ->> '$.currency', p ->> '$.Currency', p ->> '$."$currency"')
    end as currency,
    coalesce(
        p ->> '$.order_id', p ->> '$.orderId', p ->> '$."Order ID"', p ->> '$.transaction_id', p ->> '$."Transaction ID"'
    ) as order_id,
    case when meaning in ('purchase', 'lead') then meaning end as conversion_type,
    coalesce(p ->> '$.current_page_title', p ->> '$.title') as title,
    campaign ->> '$.utm_source' as source,
    campaign ->> '$.utm_medium' as medium,
    campaign ->> '$.utm_campaign' as campaign,
    campaign ->> '$.utm_id' as campaign_id,
    campaign ->> '$.utm_content' as content,
    campaign ->> '$.utm_term' as term,
    click_ids_of(campaign) as click_ids,
    json_merge_patch(coalesce(own_members(p), '{}'), json_object('event_name', event)) as properties
from named
