-- One touch that its source already knows as one. Key: (org_id, interaction_id).
create table if not exists raw.interactions (
    org_id         varchar   not null,
    interaction_id varchar   not null,   -- derived from the content where the source has none
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
