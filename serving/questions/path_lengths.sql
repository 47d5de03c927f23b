/*
title: Touches to convert
description: Conversions by their number of touches in the org's lookback window.
uses: [period_journeys]
columns:
  touches: {title: Touches, unit: count}
  conversions: {title: Conversions, unit: count}
  value_micros: {title: Revenue, unit: money}
  share_up_to: {title: Share so far, unit: percent, description: Conversions with at most so many touches.}
chart:
  height: 220
  mark: {type: bar, tooltip: true}
  encoding:
    x: {field: touches, type: ordinal, title: Touches, axis: {labelAngle: 0, labelOverlap: true}}
    y: {field: conversions, type: quantitative, title: Conversions}
    tooltip: [{field: touches, title: Touches}, {field: conversions, title: Conversions}, {field: share_up_to, title: Share so far, format: ".0%"}]
*/
select
    path_length as touches,
    count(*) as conversions,
    sum(value_micros)::bigint as value_micros,
    sum(count(*)) over (order by path_length)::double / sum(count(*)) over () as share_up_to
from period_journeys
where is_converted
group by path_length
order by path_length
