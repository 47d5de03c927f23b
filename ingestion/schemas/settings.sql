-- tributary.yaml as tables, replaced whole at each run.
create table if not exists raw.orgs (
    org_id            varchar not null,
    currency          varchar not null,   -- reporting currency
    timezone          varchar not null,   -- IANA name of the reporting day
    lookback_days     integer not null,   -- the main window
    target_cpa_micros bigint,
    target_roas       double
);
create table if not exists raw.sites (
    site_id    varchar not null,
    org_id     varchar not null,
    public_key varchar,
    domains    varchar[] not null
);
create table if not exists raw.ad_accounts (
    platform   varchar not null,
    account_id varchar not null,
    org_id     varchar not null
);
-- Lookback windows of single touch types, where they differ from the org's.
create table if not exists raw.touch_type_windows (
    org_id        varchar not null,
    touch_type    varchar not null,
    lookback_days integer not null
);
-- Targets of a platform or a campaign, where they differ from the org's.
create table if not exists raw.targets (
    org_id      varchar not null,
    platform    varchar not null,
    campaign_id varchar,
    cpa_micros  bigint,
    roas        double
);
alter table raw.sites add column if not exists exclude_bots boolean default true;
alter table raw.sites add column if not exists exclude_suspicious boolean default false; -- such touches get no credit
alter table raw.ad_accounts add column if not exists name varchar;
alter table raw.ad_accounts add column if not exists currency varchar;
alter table raw.ad_accounts add column if not exists timezone varchar;
-- Another name by which links call a campaign.
create table if not exists raw.campaign_aliases (
    org_id      varchar not null,
    platform    varchar not null,
    name        varchar not null,
    campaign_id varchar not null
);
