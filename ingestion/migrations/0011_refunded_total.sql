-- The sum of all refunds of the order so far, as exports of shops and payment providers state it.
alter table raw.refunds add column if not exists refunded_total_micros bigint;
