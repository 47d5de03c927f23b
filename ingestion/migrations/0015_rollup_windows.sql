-- The windows of an org whose credit daily_rollups has, beside its lookback window; null until the next run stores
-- tributary.yaml. A default of [] is a function call, which DuckDB 2.0 cannot replay from a killed process's WAL.
alter table raw.orgs add column if not exists rollup_windows integer[];
