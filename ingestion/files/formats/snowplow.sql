-- Snowplow: atomic events, as a warehouse table or as enriched TSV without a header.
-- source: https://docs.snowplow.io/docs/fundamentals/canonical-event/
-- source: https://docs.snowplow.io/docs/pipeline/enriched-tsv-format/
-- export: the table atomic.events (CSV, NDJSON, Parquet), or files of the enriched stream
-- kind: events
-- timezone: UTC
-- required: event_id, collector_tstamp
-- optional: app_id, derived_tstamp, event, event_name, domain_userid, network_userid, domain_sessionid, user_id, useragent
-- optional: page_url, page_title, page_referrer, page_urlscheme, page_urlhost, page_urlpath, page_urlquery, page_urlfragment
-- optional: refr_urlscheme, refr_urlhost, refr_urlpath, refr_urlquery, refr_medium, refr_source
-- optional: mkt_source, mkt_medium, mkt_campaign, mkt_term, mkt_content, mkt_clickid, mkt_network
-- optional: tr_total, tr_currency, tr_orderid, se_category, se_action, se_label, se_property, se_value
-- headerless: app_id, platform, etl_tstamp, collector_tstamp, dvce_created_tstamp, event, event_id, txn_id, name_tracker
-- headerless: v_tracker, v_collector, v_etl, user_id, user_ipaddress, user_fingerprint, domain_userid, domain_sessionidx
-- headerless: network_userid, geo_country, geo_region, geo_city, geo_zipcode, geo_latitude, geo_longitude
-- headerless: geo_region_name, ip_isp, ip_organization, ip_domain, ip_netspeed, page_url, page_title, page_referrer
-- headerless: page_urlscheme, page_urlhost, page_urlport, page_urlpath, page_urlquery, page_urlfragment, refr_urlscheme
-- headerless: refr_urlhost, refr_urlport, refr_urlpath, refr_urlquery, refr_urlfragment, refr_medium, refr_source
-- headerless: refr_term, mkt_medium, mkt_source, mkt_term, mkt_content, mkt_campaign, contexts, se_category, se_action
-- headerless: se_label, se_property, se_value, unstruct_event, tr_orderid, tr_affiliation, tr_total, tr_tax, tr_shipping
-- headerless: tr_city, tr_state, tr_country, ti_orderid, ti_sku, ti_name, ti_category, ti_price, ti_quantity
-- headerless: pp_xoffset_min, pp_xoffset_max, pp_yoffset_min, pp_yoffset_max, useragent, br_name, br_family, br_version
-- headerless: br_type, br_renderengine, br_lang, br_features_pdf, br_features_flash, br_features_java
-- headerless: br_features_director, br_features_quicktime, br_features_realplayer, br_features_windowsmedia
-- headerless: br_features_gears, br_features_silverlight, br_cookies, br_colordepth, br_viewwidth, br_viewheight, os_name
-- headerless: os_family, os_manufacturer, os_timezone, dvce_type, dvce_ismobile, dvce_screenwidth, dvce_screenheight
-- headerless: doc_charset, doc_width, doc_height, tr_currency, tr_total_base, tr_tax_base, tr_shipping_base, ti_currency
-- headerless: ti_price_base, base_currency, geo_timezone, mkt_clickid, mkt_network, etl_tags, dvce_sent_tstamp
-- headerless: refr_domain_userid, refr_dvce_tstamp, derived_contexts, domain_sessionid, derived_tstamp, event_vendor
-- headerless: event_name, event_format, event_version, event_fingerprint, true_tstamp
--
-- Times are UTC by Snowplow's specification. A row with tr_total is a conversion under any event name. If page_url is empty, its
-- parts make the URL. The source is what Snowplow read from the link (mkt_*), else from a referrer that the row lacks (refr_*).
-- user_ipaddress is never read.
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
        || coalesce('?' || page_urlquery, '') || coalesce('#' || page_urlfragment, '')
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
    case when has_only_referrer then lower(refr_source) else mkt_source end as source,
    case
        when has_only_referrer
            then case refr_medium when 'search' then 'organic' when 'chatbot' then 'ai-assistant' else refr_medium end
        else mkt_medium
    end as medium,
    mkt_campaign as campaign,
    mkt_content as content,
    mkt_term as term,
    case lower(mkt_network)
        when 'google' then 'gclid='
        when 'microsoft' then 'msclkid='
        when 'doubleclick' then 'dclid='
    end || url_encode(mkt_clickid) as click_ids,
    json_object(
        'event_name', coalesce(event_name, event), 'page_title', page_title, 'se_category', se_category,
        'se_action', se_action, 'se_label', se_label, 'se_property', se_property, 'se_value', se_value
    ) as properties
from (
    select
        *,
        coalesce(mkt_source, mkt_medium, mkt_campaign, mkt_clickid, page_referrer, refr_urlhost) is null
        and refr_medium in ('search', 'social', 'email', 'chatbot')
        and refr_source is not null as has_only_referrer
    from source
) as events
