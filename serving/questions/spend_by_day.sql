/*
title: Spend by day
description: Spend of each platform on each day of the period.
uses: [daily_spend]
columns:
  date: {title: Day, unit: date}
  platform: {title: Platform}
  spend_micros: {title: Spend, unit: money}
chart:
  mark: {type: bar, tooltip: true}
  encoding:
    x: {field: date, type: temporal, timeUnit: utcyearmonthdate, title: null, axis: {format: "%b %d", tickCount: 8}}
    y: {field: spend_micros, type: quantitative, title: Spend, axis: {format: "~s"}}
    color: {field: platform, type: nominal}
*/
select date, platform, sum(spend_micros)::bigint as spend_micros
from daily_spend
where date between $from and $to and ($platform is null or platform = $platform)
group by all
having sum(spend_micros) <> 0
order by date, platform
