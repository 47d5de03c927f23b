-- One pull of one account's days from a platform's API, whatever came of it.
create table if not exists raw.pulls (
    pull_id              varchar   not null,
    org_id               varchar   not null,
    platform             varchar   not null,
    account_id           varchar   not null,
    start_date           date      not null,   -- the account's days, both included
    end_date             date      not null,
    started_at           timestamp not null,
    finished_at          timestamp not null,
    status               varchar   not null,   -- loaded; partial: some days were refused; failed: nothing was written
    reason               varchar,              -- what was refused or failed, and what to do
    rows                 bigint    not null,   -- received
    spend_micros         bigint,               -- of the finest rows, in `currency`
    account_spend_micros bigint,               -- as the platform states it for the account; null: it does not
    currency             varchar,
    _load_id             varchar               -- null where nothing was written
);
-- One state of an account, campaign, ad set, ad or creative: what it was called and set to, from when until when.
-- Key: (org_id, platform, account_id, level, entity_id, valid_from). The state that holds has no valid_until.
create table if not exists raw.ad_entities (
    org_id                 varchar   not null,
    platform               varchar   not null,
    account_id             varchar   not null,
    level                  varchar   not null,   -- account, campaign, adset, ad, creative
    entity_id              varchar   not null,
    campaign_id            varchar,              -- its parents
    adset_id               varchar,
    creative_id            varchar,              -- of an ad
    name                   varchar,
    status                 varchar,              -- the platform's own word
    objective              varchar,
    destination_url        varchar,
    daily_budget_micros    bigint,
    lifetime_budget_micros bigint,
    currency               varchar,
    valid_from             timestamp not null,   -- when it was first seen so
    valid_until            timestamp,
    _content_hash          varchar   not null,
    _load_id               varchar   not null,
    _loaded_at             timestamp not null
);
-- The ad that a click id belongs to, where the platform tells. Key: (org_id, platform, click_id).
create table if not exists raw.ad_clicks (
    org_id      varchar   not null,
    platform    varchar   not null,
    account_id  varchar   not null,
    click_id    varchar   not null,
    date        date      not null,   -- the ad account's day
    campaign_id varchar   not null,
    adset_id    varchar,
    ad_id       varchar,
    _load_id    varchar   not null,
    _loaded_at  timestamp not null
);
