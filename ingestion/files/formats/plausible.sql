-- Plausible: events, as a self-hosted ClickHouse database has them (table events_v2).
-- source: https://github.com/plausible/analytics/blob/master/priv/ingest_repo/structure.sql
-- export: clickhouse-client, select * from plausible_events_db.events_v2 format CSVWithNames (or JSONEachRow, Parquet).
-- kind: events
-- timezone: UTC
-- required: timestamp, name, user_id, session_id, hostname, pathname
-- optional: site_id, referrer, referrer_source, utm_source, utm_medium, utm_campaign, utm_content, utm_term
-- optional: revenue_source_amount, revenue_source_currency, revenue_reporting_amount, revenue_reporting_currency
--
-- Times are UTC. Rows have no id: a hash of their columns is the id. `user_id` is the visitor, which Plausible derives anew each
-- day from address and browser. An event with revenue is a purchase. `engagement` rows measure time on a page, and are skipped.
with named as (
    select
        *,
        coalesce(nullif(revenue_source_amount, '0'), revenue_reporting_amount) as sale,
        if(regexp_matches(revenue_source_amount, '[1-9]'), revenue_source_currency, revenue_reporting_currency) as sale_currency,
        -- the name of a source without a URL, such as Google Ads, counts only where nothing else names one
        if(coalesce(utm_source, referrer) is null, referrer_source, null) as other_source
    from source
    where name <> 'engagement'
),

valued as (
    select *, coalesce(regexp_matches(sale, '[1-9]'), false) as is_sale
    from named
)

select
    _row,
    md5(concat_ws('|', site_id, "timestamp", name, user_id, session_id, hostname, pathname, sale)) as event_id,
    coalesce(site_id, hostname) as site_id,
    case when is_sale then 'CONVERSION' when name = 'pageview' then 'PAGE_VIEW' else 'CUSTOM' end as type,
    "timestamp" as occurred_at,
    user_id as anon_id,
    session_id,
    'https://' || hostname || pathname as url,
    pathname as path,
    case when referrer not like '%://%' then 'https://' || referrer else referrer end as referrer,
    if(is_sale, sale, null) as value,
    if(is_sale, sale_currency, null) as currency,
    if(is_sale, 'purchase', null) as conversion_type,
    coalesce(utm_source, other_source) as source,
    utm_medium as medium,
    utm_campaign as campaign,
    utm_content as content,
    utm_term as term,
    json_object('event_name', name) as properties
from valued
