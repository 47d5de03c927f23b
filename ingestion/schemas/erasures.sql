-- One erasure or disclosure of a person's data: that it happened, not whose they were.
create table if not exists raw.erasures (
    erasure_id varchar   not null,
    action     varchar   not null,   -- erase, export
    asked_for  varchar   not null,   -- email, visitor, customer
    done_at    timestamp not null,   -- UTC
    counts     json      not null    -- rows by table
);
-- What must not come back: SHA-256 of org, kind and identifier. Rows that bear it and happened until then are anonymised
-- when they are loaded.
create table if not exists raw.erased_identifiers (
    identifier_hash varchar   not null,
    until           timestamp not null,  -- UTC
    pseudonym       varchar   not null
);
-- Of a device that others use too: it was the person from then on, where a row names nobody.
alter table raw.erased_identifiers add column if not exists since timestamp; -- UTC
