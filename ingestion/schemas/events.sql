-- One web event. Key: (org_id, site_id, event_id); a later row with the same key and other content is quarantined.
create table if not exists raw.events (
    org_id          varchar   not null,
    site_id         varchar   not null,
    event_id        varchar   not null,
    type            varchar   not null,   -- PAGE_VIEW | CONVERSION | CUSTOM
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
