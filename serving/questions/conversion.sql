/*
title: Conversion
description: The facts of one conversion.
columns:
  id: {title: Conversion}
  conversion_type: {title: Type}
  occurred_at: {title: Time (UTC), unit: time}
  date: {title: Reporting day, unit: date}
  order_id: {title: Order}
  customer_id: {title: Customer}
  visitor_id: {title: Visitor}
  value_micros: {title: Value, unit: money, description: After refunds.}
  original_value_micros: {title: Booked micros, unit: count, description: The booked value in micros of its own currency.}
  original_currency: {title: Booked currency}
  refunded_micros: {title: Refunded, unit: money}
  is_first_conversion: {title: First of the person}
  lookback_days: {title: Lookback window, unit: count}
  org_id: {title: ""}
  currency: {title: ""}
  timezone: {title: ""}
*/
select
    conversion_id as id, conversion_type, occurred_at, date, order_id, customer_id, visitor_id, value_micros,
    original_value_micros, original_currency, refunded_micros, is_first_conversion, conversions.lookback_days,
    org_id, currency, timezone
from conversions
inner join orgs using (org_id)
where conversion_id = $conversion_id
order by id
