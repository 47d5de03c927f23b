-- One event. Key: (org_id, site_id, event_id); a later row with the same key and other content is quarantined.
create table if not exists raw.events (
    org_id          varchar   not null,
    site_id         varchar   not null,
    event_id        varchar   not null,
    type            varchar   not null,   -- PAGE_VIEW, CONVERSION, CUSTOM or another known type (ingestion/event_types.py)
    occurred_at     timestamp not null,   -- UTC
    anon_id         varchar,              -- null without consent
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
-- What the collector knows beyond files. Added to tables of earlier versions too.
alter table raw.events alter column anon_id drop not null;
alter table raw.events add column if not exists title varchar;
alter table raw.events add column if not exists email_hash varchar;     -- SHA-256 of the normalised address
alter table raw.events add column if not exists phone_hash varchar;     -- SHA-256 of the digits, with a leading +
alter table raw.events add column if not exists entity_type varchar;    -- raw.entities
alter table raw.events add column if not exists entity_id varchar;
alter table raw.events add column if not exists consent boolean;        -- null: nothing was said
alter table raw.events add column if not exists sample_percent integer; -- of the site's visitors; null: all
alter table raw.events add column if not exists is_replay boolean;      -- sent late by a visitor outside the sample who converted
alter table raw.events add column if not exists has_own_id boolean;     -- false: the collector gave the event its id
alter table raw.events add column if not exists ip_hash varchar;        -- HMAC under a salt that is destroyed: raw.addresses
alter table raw.events add column if not exists received_at timestamp;  -- UTC, by the collector's clock
-- What stays of an event whose row left for the archive, so that it is a duplicate for ever.
create table if not exists raw.retired_events (
    org_id        varchar not null,
    site_id       varchar not null,
    event_id      varchar not null,
    _content_hash varchar not null
);
-- One move of old rows to archive/events/: the files of which it is part are named after it.
create table if not exists raw.retirements (
    retirement_id varchar   not null,
    before        timestamp not null,   -- UTC: rows that occurred until then
    row_count     bigint    not null,
    retired_at    timestamp not null    -- UTC
);
-- raw.all_events, the hot table and the archive as one, is made by ingestion/segments/archive.py.
