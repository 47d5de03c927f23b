-- Umami: website events, as the data export or the table website_event has them.
-- source: https://github.com/umami-software/umami/blob/master/db/clickhouse/schema.sql
-- source: https://github.com/umami-software/umami/blob/master/prisma/schema.prisma
-- source: https://umami.is/docs/cloud/export-data
-- export: Settings, Data, Export; unpack the archive and import website_event.csv. Or export the table website_event as CSV.
-- kind: events
-- timezone: UTC
-- required: website_id, session_id, url_path, created_at
-- optional: event_id, visit_id, hostname, url_query, referrer_domain, referrer_path, referrer_query, page_title, event_type
-- optional: event_name, distinct_id, utm_source, utm_medium, utm_campaign, utm_content, utm_term
-- optional: gclid, fbclid, msclkid, ttclid, li_fat_id, twclid
--
-- Times are UTC. `session_id` is the visitor, which Umami derives anew each month from address and browser, and `visit_id` the
-- session. Umami stores no scheme of a URL, and older versions no host. An event with a name is CUSTOM. Umami keeps the revenue
-- of events in another table (umami_revenue).
select
    _row,
    coalesce(event_id, md5(concat_ws('|', website_id, session_id, created_at, url_path, url_query, event_name))) as event_id,
    website_id as site_id,
    case when event_name is null and coalesce(event_type, '1') = '1' then 'PAGE_VIEW' else 'CUSTOM' end as type,
    created_at as occurred_at,
    session_id as anon_id,
    visit_id as session_id,
    distinct_id as user_id,
    'https://' || hostname || url_path || coalesce('?' || ltrim(url_query, '?'), '') as url,
    url_path || coalesce('?' || ltrim(url_query, '?'), '') as path,
    'https://' || referrer_domain || coalesce(referrer_path, '/') || coalesce('?' || ltrim(referrer_query, '?'), '') as referrer,
    null as user_agent,
    page_title as title,
    utm_source as source,
    utm_medium as medium,
    utm_campaign as campaign,
    utm_content as content,
    utm_term as term,
    nullif(concat_ws('&',
        'gclid=' || url_encode(gclid), 'fbclid=' || url_encode(fbclid), 'msclkid=' || url_encode(msclkid),
        'ttclid=' || url_encode(ttclid), 'li_fat_id=' || url_encode(li_fat_id), 'twclid=' || url_encode(twclid)
    ), '') as click_ids,
    json_merge_patch('{}', json_object('event_name', event_name)) as properties
from source
