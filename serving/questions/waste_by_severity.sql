/*
title: Waste by severity
description: Money counts once; a campaign's flag stands for the flags of its ad sets and ads.
uses: [flags]
columns:
  severity: {title: Severity, unit: label, link: "/waste?severity={severity}"}
  flags: {title: Flags, unit: count, description: "All flags, also those whose money a coarser flag has."}
  counted_flags: {title: Counted, unit: count, description: Flags whose money the total counts.}
  waste_spend_micros: {title: Wasted, unit: money, better: lower, description: Spend of the counted flags that did not pay off.}
*/
select
    severity,
    count(*) as flags,
    count(*) filter (where is_counted) as counted_flags,
    coalesce(sum(waste_spend_micros) filter (where is_counted), 0)::bigint as waste_spend_micros
from flags
group by severity
order by case severity when 'high' then 1 when 'medium' then 2 else 3 end
