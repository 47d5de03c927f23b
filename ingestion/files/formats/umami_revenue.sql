-- Umami: revenue of events, as the table revenue has it.
-- source: https://github.com/umami-software/umami/blob/master/prisma/schema.prisma
-- source: https://umami.is/docs/reports/report-revenue
-- export: the table revenue (or website_revenue of ClickHouse) as CSV, beside the events.
-- kind: conversions
-- timezone: UTC
-- required: website_id, session_id, event_id, event_name, currency, revenue, created_at
--
-- Times are UTC. The visitor is that of the events.
select
    _row,
    created_at as occurred_at,
    session_id as visitor_id,
    'umami:' || event_id as conversion_id,
    website_id as site_id,
    'purchase' as conversion_type,
    revenue as value,
    currency,
    event_name
from source
where regexp_matches(revenue, '[1-9]')
