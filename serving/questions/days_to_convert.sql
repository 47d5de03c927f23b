/*
title: Days to convert
description: Conversions by the whole days from their first touch, in the org's lookback window.
uses: [period_journeys]
columns:
  days: {title: Days, unit: count}
  conversions: {title: Conversions, unit: count}
  value_micros: {title: Revenue, unit: money}
  share_up_to: {title: Share so far, unit: percent, description: Conversions within so many days.}
chart:
  height: 220
  mark: {type: bar, tooltip: true}
  encoding:
    x: {field: days, type: ordinal, title: Days from the first touch, axis: {labelAngle: 0, ticks: false, labelExpr: "datum.value % 5 == 0 ? datum.label : ''"}}
    y: {field: conversions, type: quantitative, title: Conversions}
    tooltip: [{field: days, title: Days}, {field: conversions, title: Conversions}, {field: share_up_to, title: Share so far, format: ".0%"}]
*/
select
    floor(epoch(converted_at - first_touch_at) / 86400.0)::bigint as days,
    count(*) as conversions,
    sum(value_micros)::bigint as value_micros,
    sum(count(*)) over (order by days)::double / sum(count(*)) over () as share_up_to
from period_journeys
where is_converted
group by days
order by days
