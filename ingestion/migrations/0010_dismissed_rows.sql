-- One row for each kind, org and reason of failed rows that `tributary failed --dismiss` removed.
create table raw.dismissed_rows (
    dismissal_id    varchar   not null,   -- of one command
    dismissed_at    timestamp not null,   -- UTC
    kind            varchar   not null,
    org_id          varchar,
    reason          varchar   not null,
    rows            bigint    not null,
    first_failed_at timestamp not null,   -- UTC; the rows were received between these two moments
    last_failed_at  timestamp not null
);
