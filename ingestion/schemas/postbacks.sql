-- One status of one transaction, as an affiliate network reported it. Key: (org_id, postback_id), from the content.
create table if not exists raw.postbacks (
    org_id          varchar   not null,
    postback_id     varchar   not null,
    occurred_at     timestamp not null,   -- UTC, of the transaction
    platform        varchar   not null,   -- the network
    transaction_id  varchar   not null,
    status          varchar   not null,   -- pending, approved, rejected
    account_id      varchar,              -- ours with the network
    campaign_id     varchar,              -- the network's offer
    campaign        varchar,
    affiliate_id    varchar,
    affiliate       varchar,
    click_id        varchar,
    order_id        varchar,
    visitor_id      varchar,
    site_id         varchar,
    payout_micros   bigint,               -- what the affiliate is owed, in `currency`
    value_micros    bigint,               -- of the sale, in `currency`
    currency        varchar,              -- null: the org's reporting currency
    properties      json,
    _content_hash   varchar   not null,
    _load_id        varchar   not null,
    _loaded_at      timestamp not null
);
