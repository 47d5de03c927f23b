-- One input row that broke its contract, kept whole (personal data hashed) until someone mends it.
-- Key: failed_id, derived from the content, so that a re-import or another split of the file adds nothing.
create table if not exists raw.failed_events (
    failed_id  varchar   not null,
    kind       varchar   not null,   -- events, interactions, conversions, spend, exchange-rates
    org_id     varchar,
    source     varchar   not null,   -- the file's name
    line       bigint,               -- line of the file for text, row number for Parquet
    reason     varchar   not null,   -- a code to group by, such as missing_value, bad_timestamp, id_conflict
    detail     varchar   not null,   -- a sentence for a person
    payload    varchar   not null,   -- the row as JSON, or the raw text where it could not be parsed
    _load_id   varchar   not null,
    _loaded_at timestamp not null
);
-- Of what the collector refused: schema, business, reference or properties; and what else it knew.
alter table raw.failed_events add column if not exists layer varchar;
alter table raw.failed_events add column if not exists site_id varchar;
alter table raw.failed_events add column if not exists user_agent varchar;
alter table raw.failed_events add column if not exists ip_hash varchar;
alter table raw.failed_events add column if not exists received_at timestamp; -- UTC
