-- What one distinct value means, found once when it is first loaded.
create table if not exists raw.user_agents (
    user_agent      varchar not null,
    browser         varchar,
    browser_version varchar,
    os              varchar,
    os_version      varchar,
    device_type     varchar,           -- desktop, mobile or tablet
    is_bot          boolean not null,
    bot             varchar            -- the pattern that tells
);
-- ip_hash lives as long as its salt: the same address has another hash the day after.
create table if not exists raw.addresses (
    ip_hash        varchar not null,
    country        varchar,            -- ISO 3166-1 alpha-2
    region         varchar,            -- ISO 3166-2
    is_data_centre boolean
);
