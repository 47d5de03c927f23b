-- The windows of an org whose credit daily_rollups has, beside its lookback window.
alter table raw.orgs add column if not exists rollup_windows integer[] default [];
