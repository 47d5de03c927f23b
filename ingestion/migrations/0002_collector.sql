-- Tables and columns that the collector fills.

-- Columns that files do not have.
alter table raw.events alter column anon_id drop not null;              -- null without consent
alter table raw.events add column if not exists title varchar;
alter table raw.events add column if not exists email_hash varchar;     -- SHA-256 of the normalised address
alter table raw.events add column if not exists phone_hash varchar;     -- SHA-256 of the digits, with a leading +
alter table raw.events add column if not exists entity_type varchar;    -- raw.entities
alter table raw.events add column if not exists entity_id varchar;
alter table raw.events add column if not exists consent boolean;        -- null: the visitor was not asked
alter table raw.events add column if not exists sample_percent integer; -- of the site's visitors; null: all
alter table raw.events add column if not exists is_replay boolean;      -- sent late by a visitor outside the sample who converted
alter table raw.events add column if not exists has_own_id boolean;     -- false: the collector gave the event its id
alter table raw.events add column if not exists ip_hash varchar;        -- raw.addresses; HMAC under a salt that is destroyed later
alter table raw.events add column if not exists received_at timestamp;  -- UTC, by the collector's clock

-- The key and content of an event after its row moved to the archive, so that it stays a duplicate.
create table if not exists raw.retired_events (
    org_id        varchar not null,
    site_id       varchar not null,
    event_id      varchar not null,
    _content_hash varchar not null
);
-- One move of old rows to archive/events/. The names of its files begin with retirement_id.
create table if not exists raw.retirements (
    retirement_id varchar   not null,
    before        timestamp not null,   -- UTC: rows that occurred earlier
    row_count     bigint    not null,
    retired_at    timestamp not null    -- UTC
);
-- ingestion/segments/archive.py creates raw.all_events, the view of raw.events and the archive.

-- One distinct user agent, parsed when it is first loaded.
create table if not exists raw.user_agents (
    user_agent      varchar not null,
    browser         varchar,
    browser_version varchar,
    os              varchar,
    os_version      varchar,
    device_type     varchar,           -- desktop, mobile or tablet
    is_bot          boolean not null,
    bot             varchar            -- the part that identifies the bot
);
-- The location of one hashed address. A hash is valid as long as its salt: the same address has another hash the day after.
create table if not exists raw.addresses (
    ip_hash        varchar not null,
    country        varchar,            -- ISO 3166-1 alpha-2
    region         varchar,            -- ISO 3166-2
    is_data_centre boolean
);

-- One refund or cancellation of an order. Key: (org_id, refund_id).
create table if not exists raw.refunds (
    org_id          varchar   not null,
    refund_id       varchar   not null,   -- derived from the content if the source has no id
    occurred_at     timestamp not null,   -- UTC
    order_id        varchar   not null,
    site_id         varchar,
    value_micros    bigint,               -- the refunded amount, in `currency`; null: all of it
    currency        varchar,              -- null: the org's reporting currency
    reason          varchar,              -- refund, cancelled
    properties      json,
    _content_hash   varchar   not null,
    _load_id        varchar   not null,
    _loaded_at      timestamp not null
);

-- One status of one transaction, as an affiliate network reported it. Key: (org_id, postback_id), from the content.
create table if not exists raw.postbacks (
    org_id          varchar   not null,
    postback_id     varchar   not null,
    occurred_at     timestamp not null,   -- UTC, of the transaction
    platform        varchar   not null,   -- the network
    transaction_id  varchar   not null,
    status          varchar   not null,   -- pending, approved, rejected
    account_id      varchar,              -- the advertiser's account with the network
    campaign_id     varchar,              -- the network's offer
    campaign        varchar,
    affiliate_id    varchar,
    affiliate       varchar,
    click_id        varchar,
    order_id        varchar,
    visitor_id      varchar,
    site_id         varchar,
    payout_micros   bigint,               -- the affiliate's commission, in `currency`
    value_micros    bigint,               -- of the sale, in `currency`
    currency        varchar,              -- null: the org's reporting currency
    properties      json,
    _content_hash   varchar   not null,
    _load_id        varchar   not null,
    _loaded_at      timestamp not null
);

-- One answer to one question of a survey, such as "how did you hear about us". Key: (org_id, answer_id).
create table if not exists raw.survey_answers (
    org_id          varchar   not null,
    answer_id       varchar   not null,   -- derived from the content if the source has no id
    occurred_at     timestamp not null,   -- UTC
    question        varchar   not null,
    answer          varchar   not null,
    site_id         varchar,
    visitor_id      varchar,
    customer_id     varchar,
    order_id        varchar,
    properties      json,
    _content_hash   varchar   not null,
    _load_id        varchar   not null,
    _loaded_at      timestamp not null
);

-- One state of an entity (an asset, a licence), valid from a moment on. Key: (org_id, entity_type, entity_id, valid_from).
create table if not exists raw.entities (
    org_id          varchar   not null,
    entity_type     varchar   not null,
    entity_id       varchar   not null,
    valid_from      timestamp not null,   -- UTC
    properties      json,                 -- its attributes
    _content_hash   varchar   not null,
    _load_id        varchar   not null,
    _loaded_at      timestamp not null
);

-- One erasure or export of a person's data. It does not name the person.
create table if not exists raw.erasures (
    erasure_id varchar   not null,
    action     varchar   not null,   -- erase, export
    asked_for  varchar   not null,   -- email, visitor, customer
    done_at    timestamp not null,   -- UTC
    counts     json      not null    -- rows by table
);
-- One identifier of an erased person: the SHA-256 of org, kind and identifier. Loads anonymise rows that have the
-- identifier and happened between `since` and `until`.
create table if not exists raw.erased_identifiers (
    identifier_hash varchar   not null,
    until           timestamp not null,  -- UTC
    pseudonym       varchar   not null
);
-- Set for a device that other people use too: the person used it from then on, in rows that name nobody.
alter table raw.erased_identifiers add column if not exists since timestamp; -- UTC

-- For rows that the collector rejected: the layer (schema, business, reference or properties) and facts of the request.
alter table raw.failed_events add column if not exists layer varchar;
alter table raw.failed_events add column if not exists site_id varchar;
alter table raw.failed_events add column if not exists user_agent varchar;
alter table raw.failed_events add column if not exists ip_hash varchar;
alter table raw.failed_events add column if not exists received_at timestamp; -- UTC

-- Events that the collector rejected because their site sent too many. Counted in received_rows.
alter table raw.loads add column if not exists limited_rows bigint default 0;

alter table raw.sites add column if not exists exclude_bots boolean default true;
alter table raw.sites add column if not exists exclude_suspicious boolean default false; -- such touches get no credit
