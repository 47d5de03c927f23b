-- What the buyer paid, where it is not the shop's currency; and the ids by which a payment provider calls one payment.
alter table raw.conversions add column if not exists presentment_value_micros bigint;  -- in `presentment_currency`
alter table raw.conversions add column if not exists presentment_currency varchar;
alter table raw.conversions add column if not exists payment_ids varchar;              -- separated by spaces
-- The amount of the whole order in the currency of the refund, if the source knows it.
alter table raw.refunds add column if not exists order_value_micros bigint;
alter table raw.refunds add column if not exists payment_ids varchar;                  -- separated by spaces
