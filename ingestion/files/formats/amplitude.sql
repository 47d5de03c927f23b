-- Amplitude: events, as the Export API, an export to a bucket or a warehouse table has them.
-- source: https://amplitude.com/docs/apis/analytics/export
-- source: https://amplitude.com/docs/data/destination-catalog/snowflake
-- source: https://amplitude.com/docs/sdks/analytics/browser/browser-sdk-2
-- export: Project settings, Export Data; or https://amplitude.com/api/2/export (unpack the archive), JSON lines or CSV.
-- kind: events
-- timezone: UTC
-- required: event_type, event_time, device_id
-- required: insert_id = uuid | $insert_id | insert_id | _insert_id
-- optional: uuid, user_id, session_id, app, event_properties, user_properties, revenue
--
-- Times are UTC without a zone. The browser SDK writes the campaign of the last visit to the user's properties, so that each
-- event has it; an event's own members count first. `initial_*` members are about earlier events, and are not read.
-- `Order Completed` and similar names are purchases, and so is an event with `$revenue` or `revenue`, which Amplitude's revenue
-- events have. If an app sends both for one order, give both the order_id, so that they are one conversion.
with parsed as (
    select
        *,
        case when json_valid(event_properties) then event_properties::json end as e,
        case when json_valid(user_properties) then user_properties::json end as u
    from source
    where event_type not in ('$identify', '$groupidentify')
),

read as (
    select
        *,
        coalesce(
            e ->> '$."$revenue"', e ->> '$.revenue', revenue,
            (try_cast(e ->> '$."$price"' as decimal(18, 6)) * coalesce(try_cast(e ->> '$."$quantity"' as integer), 1))::varchar
        ) as sale,
        list_transform(
            list_zip(
                json_extract_string(e, [
                    '$.utm_source', '$.utm_medium', '$.utm_campaign', '$.utm_id', '$.utm_content', '$.utm_term', '$.referrer'
                ]),
                json_extract_string(u, [
                    '$.utm_source', '$.utm_medium', '$.utm_campaign', '$.utm_id', '$.utm_content', '$.utm_term', '$.referrer'
                ])
            ),
            -- the SDK writes EMPTY for a parameter that the first visit lacks
            lambda pair: nullif(coalesce(pair[1], pair[2]), 'EMPTY')
        ) as link
    from parsed
),

named as (
    select *, meaning_of_event(event_type, sale) as meaning
    from read
)

select
    _row,
    coalesce(uuid, insert_id) as event_id,
    coalesce(app, 'amplitude') as site_id,
    type_of_meaning(meaning) as type,
    event_time as occurred_at,
    coalesce(device_id, user_id) as anon_id,
    -- a number since 1970 that only the device knows; -1 is no session
    coalesce(device_id, user_id) || '.' || nullif(session_id, '-1') as session_id,
    user_id,
    coalesce(
        e ->> '$."[Amplitude] Page Location"', e ->> '$."[Amplitude] Page URL"', e ->> '$.page_location', e ->> '$.page_url',
        e ->> '$.url'
    ) as url,
    coalesce(e ->> '$."[Amplitude] Page Path"', e ->> '$.path', e ->> '$.page_path') as path,
    link[7] as referrer,
    null as user_agent,
    case
        when meaning in ('purchase', 'lead') then first_amount([sale, e ->> '$.total', e ->> '$.value', e ->> '$.amount', e ->> '$.price'])
        when meaning = 'refund'
            then ltrim(first_amount([e ->> '$.refund_amount', e ->> '$.total', e ->> '$.value', e ->> '$.amount', sale]), '-')
    end as value,
    case when meaning in ('purchase', 'lead', 'refund') then coalesce(e ->> '$."$currency"', e ->> '$.currency') end as currency,
    coalesce(e ->> '$.order_id', e ->> '$.orderId', e ->> '$.transaction_id', e ->> '$."Order ID"') as order_id,
    case when meaning in ('purchase', 'lead') then meaning end as conversion_type,
    coalesce(e ->> '$."[Amplitude] Page Title"', e ->> '$.page_title', e ->> '$.title') as title,
    link[1] as source,
    link[2] as medium,
    link[3] as campaign,
    link[4] as campaign_id,
    link[5] as content,
    link[6] as term,
    coalesce(click_ids_of(e), click_ids_of(u)) as click_ids,
    json_merge_patch(coalesce(own_members(e), '{}'), json_object('event_name', event_type)) as properties
from named
