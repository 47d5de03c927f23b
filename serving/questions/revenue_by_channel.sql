/*
title: Revenue by channel
description: Attributed revenue by credited channel, by week in periods of more than 45 days. The first and the last week can be incomplete.
uses: [credit]
columns:
  date: {title: From, unit: date}
  channel: {title: Channel}
  revenue_micros: {title: Revenue, unit: money}
chart:
  mark: {type: bar, tooltip: true}
  encoding:
    x: {field: date, type: ordinal, title: null, axis: {labelExpr: "utcFormat(toDate(datum.value), '%b %d')", labelAngle: 0, labelOverlap: true}}
    y: {field: revenue_micros, type: quantitative, title: Revenue, axis: {format: "~s"}}
    color: {field: channel, type: nominal}
*/
select
    if($to - $from > 45, greatest(date_trunc('week', date)::date, $from::date), date) as date,
    channel,
    sum(conversion_value_micros)::bigint as revenue_micros
from credit
where date between $from and $to
group by all
order by 1, channel
