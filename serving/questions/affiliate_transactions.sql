/*
title: Transactions of affiliate networks
description: Transactions that the networks report, by affiliate and status. The payout of approved ones is spend.
columns:
  platform: {title: Network}
  affiliate_id: {title: ""}
  affiliate: {title: Affiliate}
  status: {title: Status, description: "Pending ones may still be approved or rejected."}
  transactions: {title: Transactions, unit: count}
  payout_micros: {title: Payout, unit: money}
  value_micros: {title: Sales, unit: money, description: Value of the sales as the network reports it.}
  payout_share: {title: Commission, unit: percent, description: Payout as a share of the sales.}
  matched_orders: {title: Matched orders, unit: count, description: Transactions with a conversion in your own data.}
  matched_share: {title: Matched, unit: percent, description: "A low share means that the network asks to be paid for orders that you cannot see, or that order ids differ."}
*/
select
    platform,
    affiliate_id,
    coalesce(max(affiliate), affiliate_id, '(not named)') as affiliate,
    status,
    count(*) as transactions,
    sum(payout_micros)::bigint as payout_micros,
    sum(value_micros)::bigint as value_micros,
    sum(payout_micros) / nullif(sum(value_micros), 0)::double as payout_share,
    count(conversion_id) as matched_orders,
    count(conversion_id) / count(*) as matched_share
from affiliate_transactions
where date between $from and $to and ($platform is null or platform = $platform)
group by platform, affiliate_id, status
order by payout_micros desc, platform, affiliate_id, status
