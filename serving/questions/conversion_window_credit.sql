/*
title: Credit under each model in the chosen window
description: The share of each touch under each attribution model. Touches have the numbers of the window's journey.
columns:
  touch: {title: Touch}
  position: {title: "", unit: count}
  channel: {title: ""}
  attribution_model: {title: Model, unit: label}
  weight: {title: Credit, unit: percent}
  attributed_value_micros: {title: Revenue, unit: money}
  touchpoint_id: {title: ""}
chart:
  height: {step: 22}
  mark: {type: bar, tooltip: true, cornerRadiusEnd: 0}
  encoding:
    y: {field: attribution_model, type: nominal, title: null, sort: null, axis: {labelExpr: "replace(datum.label, /_/g, ' ')"}}
    x: {field: weight, type: quantitative, title: Credit, axis: {format: "%", tickCount: 5}, scale: {domain: [0, 1]}}
    color: {field: channel, type: nominal}
    order: {field: position}
    stroke: {value: "var(--card)"}
    tooltip: [{field: touch, title: Touch}, {field: attribution_model, title: Model}, {field: weight, title: Credit, format: ".1%"}]
*/
select
    links.position || '. ' || touches.channel as touch,
    links.position,
    touches.channel,
    links.attribution_model,
    links.weight,
    links.attributed_value_micros,
    links.touchpoint_id
from (
    select * from window_links where conversion_id = $conversion_id and lookback_days = $window and weight > 0
) as links
inner join (
    select touchpoint_id, channel from touchpoints
) as touches using (touchpoint_id)
order by links.position, links.attribution_model <> $model, links.attribution_model
