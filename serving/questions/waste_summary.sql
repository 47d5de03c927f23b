/*
title: Waste by severity and platform
description: Flags and wasted spend under the filters of the question waste. Grains overlap, so each grain has its own sum.
columns:
  grain: {title: Grain}
  severity: {title: Severity}
  platform: {title: Platform}
  flags: {title: Flags, unit: count, better: lower}
  waste_spend_micros: {title: Wasted, unit: money, better: lower}
*/
select grain, severity, platform, count(*) as flags, sum(waste_spend_micros)::bigint as waste_spend_micros
from waste_flags
where ($waste_id is not null or (attribution_model = $model and period_end >= $from and period_start <= $to))
    and ($waste_id is null or waste_id = $waste_id)
    and ($grain is null or grain = $grain)
    and ($severity is null or severity = $severity)
    and ($reason is null or reason = $reason)
    and ($platform is null or platform = $platform)
    and waste_spend_micros >= $min_waste
group by all
order by grain, severity, platform
