-- Tables and columns that pulls from ad platforms fill, and fees.

-- A row with a level is a reported total: of an account, a campaign or an ad set on that day.
-- Key: (org_id, platform, account_id, level, campaign_id, adset_id, ad_id, date, currency), nulls included.
alter table raw.ad_spend alter column campaign_id drop not null;  -- null only in the total of an account
alter table raw.ad_spend add column if not exists level varchar;  -- account, campaign, adset; null: the finest rows
alter table raw.ad_spend add column if not exists video_views bigint;

-- The columns of raw.ad_spend come first in its history, in the same order. Earlier versions appended new columns.
alter table raw.ad_spend_history add column if not exists level varchar;
alter table raw.ad_spend_history add column if not exists video_views bigint;
create table raw.ordered_history as
from (select *, null::varchar as _replaced_by_load_id, null::timestamp as _replaced_at from raw.ad_spend limit 0)
union all by name from raw.ad_spend_history;
drop table raw.ad_spend_history;
alter table raw.ordered_history rename to ad_spend_history;

-- One agreed cost that no ad platform reports: an influencer's fee, an agency's, a commission.
-- Key: (org_id, fee_id); a later import replaces.
create table if not exists raw.fees (
    org_id          varchar   not null,
    fee_id          varchar   not null,
    platform        varchar   not null,   -- the channel that is paid for: an ad platform, a network, or any other name
    account_id      varchar   not null,
    campaign_id     varchar   not null,
    campaign        varchar,
    adset_id        varchar,
    adset           varchar,
    creator_code    varchar,              -- touches with this code belong to the campaign
    channel         varchar,              -- of the campaign's spend and touches, such as Influencers
    basis           varchar   not null,   -- period: spread over its days; conversion: owed for each conversion
    amount_micros   bigint    not null,   -- in `currency`: of the whole period, or of one conversion
    currency        varchar   not null,
    starts_on       date      not null,   -- the org's reporting days, both included
    ends_on         date      not null,
    conversion_type varchar,              -- basis conversion: only conversions of this type; null: of every type
    properties      json,
    _content_hash   varchar   not null,
    _load_id        varchar   not null,
    _loaded_at      timestamp not null
);

-- One pull of one account's days from a platform's API, successful or not.
create table if not exists raw.pulls (
    pull_id              varchar   not null,
    org_id               varchar   not null,
    platform             varchar   not null,
    account_id           varchar   not null,
    start_date           date      not null,   -- the account's days, both included
    end_date             date      not null,
    started_at           timestamp not null,
    finished_at          timestamp not null,
    status               varchar   not null,   -- loaded; partial: some days were rejected; failed: nothing was written
    reason               varchar,              -- of rejected days or a failure, and what to do
    rows                 bigint    not null,   -- received
    spend_micros         bigint,               -- of the finest rows, in `currency`
    account_spend_micros bigint,               -- the reported total of the account; null: not reported
    currency             varchar,
    _load_id             varchar               -- null if nothing was written
);

-- One state of an account, campaign, ad set, ad or creative, valid between two moments.
-- Key: (org_id, platform, account_id, level, entity_id, valid_from). The current state has no valid_until.
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
    valid_from             timestamp not null,   -- when this state was first seen
    valid_until            timestamp,
    _content_hash          varchar   not null,
    _load_id               varchar   not null,
    _loaded_at             timestamp not null
);

-- The ad of one click id, where the platform reports it. Key: (org_id, platform, click_id).
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

-- The names, currencies and time zones that tributary.yaml gives to ad accounts.
alter table raw.ad_accounts add column if not exists name varchar;
alter table raw.ad_accounts add column if not exists currency varchar;
alter table raw.ad_accounts add column if not exists timezone varchar;

-- Another name that links use for a campaign.
create table if not exists raw.campaign_aliases (
    org_id      varchar not null,
    platform    varchar not null,
    name        varchar not null,
    campaign_id varchar not null
);
