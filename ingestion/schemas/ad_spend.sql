-- One day of one ad (or of the finest thing its platform reports), as last imported or pulled; or, with a level, the
-- total that the platform states for an account, campaign or ad set on that day.
-- Key: (org_id, platform, account_id, level, campaign_id, adset_id, ad_id, date, currency), nulls included.
create table if not exists raw.ad_spend (
    org_id                varchar   not null,
    platform              varchar   not null,
    account_id            varchar   not null,
    campaign_id           varchar,             -- null only where an account's total is stated
    adset_id              varchar,
    ad_id                 varchar,
    date                  date      not null,   -- the ad account's day
    currency              varchar   not null,
    campaign              varchar,
    adset                 varchar,
    ad                    varchar,
    spend_micros          bigint    not null,   -- in `currency`
    impressions           bigint,
    clicks                bigint,
    platform_conversions  double,
    platform_value_micros bigint,               -- in `currency`
    properties            json,
    _content_hash         varchar   not null,
    _load_id              varchar   not null,
    _loaded_at            timestamp not null
);
alter table raw.ad_spend alter column campaign_id drop not null;
-- Null: the finest that is reported, added up. account, campaign, adset: a stated total of what is beneath.
alter table raw.ad_spend add column if not exists level varchar;
alter table raw.ad_spend add column if not exists video_views bigint;

-- One former state of a row of raw.ad_spend: the row as it was, until when, and the load that replaced or withdrew it.
create table if not exists raw.ad_spend_history as
select *, null::varchar as _replaced_by_load_id, null::timestamp as _replaced_at
from raw.ad_spend
limit 0;
alter table raw.ad_spend_history add column if not exists level varchar;
alter table raw.ad_spend_history add column if not exists video_views bigint;
