-- One import of one file or segment: received_rows = loaded_rows + duplicate_rows + failed_rows + limited_rows.
create table if not exists raw.loads (
    load_id        varchar   not null,
    kind           varchar   not null,
    source         varchar   not null,
    format         varchar,
    loaded_at      timestamp not null,
    received_rows  bigint    not null,
    loaded_rows    bigint    not null,
    duplicate_rows bigint    not null,
    failed_rows    bigint    not null,
    replaced_rows  bigint    not null   -- of the loaded ones: rows that replaced an earlier state
);
-- Events that the collector refused because their site sent too many.
alter table raw.loads add column if not exists limited_rows bigint default 0;
