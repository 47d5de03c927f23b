/*
title: Quarantine
description: Conversions, refunds and spend of the period that do not count, or count without money, by reason.
columns:
  source: {title: What}
  reason: {title: Reason}
  meaning: {title: Meaning and remedy, unit: sentence}
  row_count: {title: Rows, unit: count}
  amount: {title: Amount, unit: number}
  currency: {title: Currency, description: Currency of the amount as reported.}
  first_date: {title: First day, unit: date}
  last_date: {title: Last day, unit: date}
*/
select
    replace(source, '_', ' ') as source,
    replace(reason, '_', ' ') as reason,
    case reason
        when 'no_exchange_rate' then 'Counts with a value of 0. Import a rate of the currency for the day or an earlier one.'
        when 'unknown_order' then 'The refund''s order has no conversion that counts. Import the order, or correct the order id.'
        when 'unknown_currency' then 'No report states the order in the refund''s currency. Correct the currency.'
        when 'negative_value' then 'A negative conversion without a sale. Report it as a refund.'
        when 'ambiguous_order' then 'Several sites have the order id. Add the site id to the report.'
        when 'duplicate_order' then 'A second report of an order. Nothing to do.'
        when 'cancelled' then 'The order was cancelled. Nothing to do.'
        when 'bot' then 'A bot made it. Nothing to do, unless the site needs exclude_bots: false.'
        when 'probable_duplicate' then 'Probably a second report without an order id. Send order ids.'
        when 'refund_exceeds_value' then 'The part of a refund above its order''s value. Check the refund.'
    end as meaning,
    count(*) as row_count,
    (sum(amount_micros)::decimal(24, 6) * 0.000001)::decimal(24, 6) as amount,
    currency,
    min(date) as first_date,
    max(date) as last_date
from quarantine
where date between $from and $to
group by quarantine.source, quarantine.reason, currency
order by row_count desc, quarantine.source, quarantine.reason, currency
