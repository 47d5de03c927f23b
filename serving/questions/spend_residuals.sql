/*
title: Reconciliation of spend
description: >-
  Totals that a platform reports and that differ from the sum of their parts. The reported total counts, and the
  difference is in rows named (unmatched).
columns:
  platform: {title: Platform}
  account_id: {title: Account}
  level: {title: Total of}
  currency: {title: Currency}
  days: {title: Totals, unit: count, description: Reported totals of the period.}
  different_days: {title: Different, unit: count, description: Totals that differ from the sum of their parts in any figure.}
  reported_spend: {title: Reported spend, unit: number}
  residual_spend: {title: Difference, unit: number, description: Reported spend less the sum of its parts.}
  residual_share: {title: Share, unit: percent}
*/
select
    platform,
    account_id,
    level,
    currency,
    count(*) as days,
    count(*) filter (where not is_reconciled) as different_days,
    (sum(reported_spend_micros)::decimal(24, 6) * 0.000001)::decimal(24, 6) as reported_spend,
    (sum(residual_spend_micros)::decimal(24, 6) * 0.000001)::decimal(24, 6) as residual_spend,
    sum(residual_spend_micros) / nullif(sum(reported_spend_micros), 0)::double as residual_share
from spend_reconciliation
where date between $from and $to
group by platform, account_id, level, currency
order by abs(sum(residual_spend_micros)) desc, platform, account_id, level, currency
