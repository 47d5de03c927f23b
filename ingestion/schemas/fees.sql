-- One agreed cost that no ad platform reports: an influencer's fee, an agency's, a commission.
-- Key: (org_id, fee_id); a later import replaces.
create table if not exists raw.fees (
    org_id          varchar   not null,
    fee_id          varchar   not null,
    platform        varchar   not null,   -- what it is spent on: an ad platform, a network, or any other name
    account_id      varchar   not null,
    campaign_id     varchar   not null,
    campaign        varchar,
    adset_id        varchar,
    adset           varchar,
    creator_code    varchar,              -- touches that carry it belong to the campaign
    channel         varchar,              -- that the campaign's spend and touches count in, such as Influencers
    basis           varchar   not null,   -- period: spread over its days; conversion: owed for each conversion
    amount_micros   bigint    not null,   -- in `currency`: of the whole period, or of one conversion
    currency        varchar   not null,
    starts_on       date      not null,   -- the org's reporting days, both included
    ends_on         date      not null,
    conversion_type varchar,              -- basis conversion: only of such; null: of every type
    properties      json,
    _content_hash   varchar   not null,
    _load_id        varchar   not null,
    _loaded_at      timestamp not null
);
