-- Tables that file imports and tributary.yaml fill.
-- Homes older than migrations.applied already have tables of migrations 1 to 3: `if not exists` keeps those.
create schema if not exists raw;

-- One event. Key: (org_id, site_id, event_id); a later row with the same key and other content is quarantined.
create table if not exists raw.events (
    org_id          varchar   not null,
    site_id         varchar   not null,
    event_id        varchar   not null,
    type            varchar   not null,   -- PAGE_VIEW, CONVERSION, CUSTOM or another known type (ingestion/event_types.py)
    occurred_at     timestamp not null,   -- UTC
    anon_id         varchar   not null,
    session_id      varchar,
    user_id         varchar,
    url             varchar,
    path            varchar,
    referrer        varchar,
    user_agent      varchar,
    value_micros    bigint,               -- in `currency`
    currency        varchar,              -- null: the org's reporting currency
    order_id        varchar,
    conversion_type varchar,
    properties      json,
    _content_hash   varchar   not null,
    _load_id        varchar   not null,
    _loaded_at      timestamp not null
);

-- One touch that its source already identifies as a touch. Key: (org_id, interaction_id).
create table if not exists raw.interactions (
    org_id         varchar   not null,
    interaction_id varchar   not null,   -- derived from the content if the source has no id
    occurred_at    timestamp not null,   -- UTC
    visitor_id     varchar,
    customer_id    varchar,
    site_id        varchar,
    touch_type     varchar,
    channel        varchar,
    platform       varchar,
    source         varchar,
    medium         varchar,
    campaign       varchar,
    content        varchar,
    term           varchar,
    campaign_id    varchar,
    adset_id       varchar,
    ad_id          varchar,
    creator_code   varchar,
    properties     json,
    _content_hash  varchar   not null,
    _load_id       varchar   not null,
    _loaded_at     timestamp not null
);

-- One conversion from another system than the web events. Key: (org_id, conversion_id).
create table if not exists raw.conversions (
    org_id          varchar   not null,
    conversion_id   varchar   not null,   -- derived from the content if the source has no id
    occurred_at     timestamp not null,   -- UTC
    visitor_id      varchar,
    customer_id     varchar,
    site_id         varchar,
    conversion_type varchar   not null,
    value_micros    bigint,               -- in `currency`
    currency        varchar,              -- null: the org's reporting currency
    order_id        varchar,
    properties      json,
    _content_hash   varchar   not null,
    _load_id        varchar   not null,
    _loaded_at      timestamp not null
);

-- One day of one ad, or of the finest entity that its platform reports, as last imported or pulled.
create table if not exists raw.ad_spend (
    org_id                varchar   not null,
    platform              varchar   not null,
    account_id            varchar   not null,
    campaign_id           varchar   not null,
    adset_id              varchar,
    ad_id                 varchar,
    date                  date      not null,   -- the ad account's day
    currency              varchar   not null,
    campaign              varchar,
    adset                 varchar,
    ad                    varchar,
    spend_micros          bigint    not null,   -- in `currency`
    impressions           bigint,
    clicks                bigint,
    platform_conversions  double,
    platform_value_micros bigint,               -- in `currency`
    properties            json,
    _content_hash         varchar   not null,
    _load_id              varchar   not null,
    _loaded_at            timestamp not null
);

-- One former state of a row of raw.ad_spend, and the load that replaced or withdrew it.
create table if not exists raw.ad_spend_history as
select *, null::varchar as _replaced_by_load_id, null::timestamp as _replaced_at
from raw.ad_spend
limit 0;

-- One currency pair and day: 1 `base` = `rate` `quote`. Key: (date, base, quote); a later import replaces.
create table if not exists raw.exchange_rates (
    date          date           not null,
    base          varchar        not null,
    quote         varchar        not null,
    rate          decimal(18, 9) not null,
    properties    json,
    _content_hash varchar        not null,
    _load_id      varchar        not null,
    _loaded_at    timestamp      not null
);

-- One input row that broke its contract, kept whole (personal data hashed) until a replay loads it.
-- Key: failed_id, derived from the content, so that a re-import or another split of the file adds nothing.
create table if not exists raw.failed_events (
    failed_id  varchar   not null,
    kind       varchar   not null,   -- a kind of ingestion/files/contracts.py
    org_id     varchar,
    source     varchar   not null,   -- the file's name
    line       bigint,               -- line of the file for text, row number for Parquet
    reason     varchar   not null,   -- a code to group by, such as missing_value, bad_timestamp, id_conflict
    detail     varchar   not null,   -- a sentence for a person
    payload    varchar   not null,   -- the row as JSON, or the raw text where it could not be parsed
    _load_id   varchar   not null,
    _loaded_at timestamp not null
);

-- One import of one file: received_rows = loaded_rows + duplicate_rows + failed_rows.
create table if not exists raw.loads (
    load_id        varchar   not null,
    kind           varchar   not null,
    source         varchar   not null,
    format         varchar,
    loaded_at      timestamp not null,
    received_rows  bigint    not null,
    loaded_rows    bigint    not null,
    duplicate_rows bigint    not null,
    failed_rows    bigint    not null,
    replaced_rows  bigint    not null   -- of the loaded rows: those that replaced an earlier state
);

-- tributary.yaml as tables. Each run replaces their rows.
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
