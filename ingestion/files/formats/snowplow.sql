-- Snowplow: atomic events (CSV, NDJSON or Parquet of atomic.events).
-- kind: events
-- Times are UTC by Snowplow's specification.
-- A row with tr_total is a conversion under any event name. If page_url is empty, its parts make the URL, and mkt_* become the
-- UTM parameters that Snowplow read them from. user_ipaddress is never read.
-- required: event_id, collector_tstamp
-- optional: app_id, derived_tstamp, event, event_name, domain_userid, network_userid, domain_sessionid, user_id, useragent
-- optional: page_url, page_title, page_referrer, page_urlscheme, page_urlhost, page_urlpath, page_urlquery, page_urlfragment
-- optional: refr_urlscheme, refr_urlhost, refr_urlpath, refr_urlquery, mkt_source, mkt_medium, mkt_campaign, mkt_term
-- optional: mkt_content, tr_total, tr_currency, tr_orderid, se_category, se_action, se_label, se_property, se_value
select
    _row,
    event_id,
    coalesce(app_id, 'snowplow') as site_id,
    case
        when tr_total is not null then 'CONVERSION'
        when coalesce(event_name, event) = 'page_view' then 'PAGE_VIEW'
        else 'CUSTOM'
    end as type,
    regexp_replace(
        coalesce(derived_tstamp, collector_tstamp), '^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?)$', '\1Z'
    ) as occurred_at,
    coalesce(domain_userid, network_userid) as anon_id,
    domain_sessionid as session_id,
    user_id,
    coalesce(
        page_url,
        coalesce(page_urlscheme, 'https') || '://' || page_urlhost || coalesce(page_urlpath, '/')
        || coalesce('?' || nullif(concat_ws('&',
            page_urlquery,
            case when page_urlquery ilike '%utm_source=%' then null else 'utm_source=' || url_encode(mkt_source) end,
            case when page_urlquery ilike '%utm_medium=%' then null else 'utm_medium=' || url_encode(mkt_medium) end,
            case when page_urlquery ilike '%utm_campaign=%' then null else 'utm_campaign=' || url_encode(mkt_campaign) end,
            case when page_urlquery ilike '%utm_term=%' then null else 'utm_term=' || url_encode(mkt_term) end,
            case when page_urlquery ilike '%utm_content=%' then null else 'utm_content=' || url_encode(mkt_content) end
        ), ''), '')
        || coalesce('#' || page_urlfragment, '')
    ) as url,
    page_urlpath as path,
    coalesce(
        page_referrer,
        coalesce(refr_urlscheme, 'https') || '://' || refr_urlhost || coalesce(refr_urlpath, '/')
        || coalesce('?' || refr_urlquery, '')
    ) as referrer,
    useragent as user_agent,
    tr_total as value,
    tr_currency as currency,
    tr_orderid as order_id,
    case when tr_total is not null then 'purchase' end as conversion_type,
    json_object(
        'event_name', coalesce(event_name, event), 'page_title', page_title, 'se_category', se_category,
        'se_action', se_action, 'se_label', se_label, 'se_property', se_property, 'se_value', se_value
    ) as properties
from source
