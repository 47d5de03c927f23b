/*
title: Input checks
description: Doubtful input that a check found, the most important first. Checks look at all data, whatever the period.
columns:
  importance: {title: Importance}
  check_name: {title: ""}
  finding: {title: Finding, unit: sentence}
  action: {title: What to do, unit: sentence}
  row_count: {title: Rows, unit: count, description: "Rows, orders, visitors or days: the finding names the unit."}
  amount: {title: Amount, unit: number, description: The money concerned.}
  currency: {title: Currency, description: Currency of the amount.}
*/
select
    case importance when 1 then 'figures are wrong' when 2 then 'figures may be wrong' else 'worth a look' end as importance,
    check_name,
    finding,
    action,
    row_count,
    (amount_micros::decimal(24, 6) * 0.000001)::decimal(24, 6) as amount,
    currency
from input_checks
order by input_checks.importance, amount_micros desc nulls last, row_count desc, check_name, finding, currency
