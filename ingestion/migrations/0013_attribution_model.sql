-- The attribution model of an org's reports. Until the next run stores tributary.yaml, rows have its default.
alter table raw.orgs add column if not exists default_attribution_model varchar default 'linear';
