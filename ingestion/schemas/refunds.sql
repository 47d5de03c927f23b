-- One refund or cancellation of an order. Key: (org_id, refund_id).
create table if not exists raw.refunds (
    org_id          varchar   not null,
    refund_id       varchar   not null,   -- derived from the content where the source has none
    occurred_at     timestamp not null,   -- UTC
    order_id        varchar   not null,
    site_id         varchar,
    value_micros    bigint,               -- what was given back, in `currency`; null: all of it
    currency        varchar,              -- null: the org's reporting currency
    reason          varchar,              -- refund, cancelled
    properties      json,
    _content_hash   varchar   not null,
    _load_id        varchar   not null,
    _loaded_at      timestamp not null
);
