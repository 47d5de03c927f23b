-- Rules of attribution for each org, and the conversions that it counts. Until the next run stores tributary.yaml, rows have
-- the defaults.
alter table raw.orgs add column if not exists half_life_days double default 7;
alter table raw.orgs add column if not exists first_touch_percent integer default 40;
alter table raw.orgs add column if not exists last_touch_percent integer default 40;
alter table raw.orgs add column if not exists direct varchar default 'include';
alter table raw.orgs add column if not exists path_transform varchar default 'unique';

alter table raw.touch_type_windows alter column lookback_days drop not null;
alter table raw.touch_type_windows add column if not exists credit_percent integer default 100;

create table if not exists raw.conversion_definitions (
    org_id           varchar not null,
    conversion_type  varchar not null,    -- its name
    number           integer not null,    -- from 1, in the file's order; 1 is the org's main conversion type
    source           varchar not null,    -- conversion, event, interaction
    source_types     varchar[],           -- null: every type
    site_ids         varchar[],           -- null: every site
    properties       json,                -- of events: name -> value; null: any
    min_value_micros bigint,
    is_first_only    boolean not null,    -- of a person
    value_micros     bigint,              -- of each; null: the reported value
    lookback_days    integer,             -- null: the org's
    touches          varchar not null     -- before, all, since_previous
);

create table if not exists raw.channel_weights (
    org_id            varchar,            -- null: every org
    attribution_model varchar not null,
    channel           varchar not null,
    valid_from        date,               -- the first day of the touches that it applies to; null: no limit
    valid_until       date,               -- the last day; null: no limit
    weight            double  not null
);
