-- Plausible: an export of totals.
-- source: https://plausible.io/docs/export-stats
-- source: https://plausible.io/docs/csv-import
-- kind: events
-- required: visitors = visitors | unique_visitors
-- required: bounces = bounces | bounce_rate
-- required: duration = visit_duration | time_on_page | total_time_on_page
-- refuse: It has no events. Plausible Cloud exports totals only; the database of a self-hosted Plausible has events (table events_v2).
select _row from source
