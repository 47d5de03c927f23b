-- One conversion reported by another system than the web events. Key: (org_id, conversion_id).
create table if not exists raw.conversions (
    org_id          varchar   not null,
    conversion_id   varchar   not null,   -- derived from the content where the source has none
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
