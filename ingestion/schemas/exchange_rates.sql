-- One currency pair and day: 1 `base` = `rate` `quote`. Key: (date, base, quote); a later import replaces.
create table if not exists raw.exchange_rates (
    date          date           not null,
    base          varchar        not null,
    quote         varchar        not null,
    rate          decimal(18, 9) not null,
    properties    json,
    _content_hash varchar        not null,
    _load_id      varchar        not null,
    _loaded_at    timestamp      not null
);
