/*
title: Models side by side
description: "Revenue that each model credits to each channel, and its difference from the chosen model. The total is the same under every model."
columns:
  channel: {title: Channel, link: "/channels?channel={channel}"}
  attribution_model: {title: Model}
  conversions: {title: Conversions, unit: count}
  conversion_value_micros: {title: Revenue, unit: money}
  value_share: {title: Share, unit: percent, description: Share of the model's credited revenue.}
  conversions_difference: {title: Conversions against the chosen model, unit: count}
  value_difference_micros: {title: Against the chosen model, unit: money}
chart:
  height: {step: 22}
  mark: {type: rect, tooltip: true}
  encoding:
    x: {field: attribution_model, type: nominal, title: null, sort: null, axis: {labelAngle: {expr: "width < 450 ? -90 : -35"}, orient: top, labelExpr: "replace(datum.label, /_/g, ' ')"}}
    y: {field: channel, type: nominal, title: null, sort: null}
    color: {field: value_difference_micros, type: quantitative, title: Against the chosen model, scale: {domainMid: 0, range: ["#c8474c", "#9aa3ae22", "#4472b8"]}, legend: {orient: bottom, title: Against the chosen model, titleLimit: 300, gradientLength: 200, format: "~s"}}
    tooltip: [{field: channel, title: Channel}, {field: attribution_model, title: Model}, {field: conversion_value_micros, title: Revenue, format: ",.2f"}, {field: value_share, title: Share, format: ".1%"}, {field: value_difference_micros, title: Against the chosen model, format: "+,.2f"}]
*/
with credited as (
    select
        channel, attribution_model,
        sum(conversions) as conversions, sum(conversion_value_micros)::bigint as conversion_value_micros
    from channel_credit
    where conversion_type = $conversion_type and lookback_days = $window and date between $from and $to
    group by channel, attribution_model
),

-- A channel without credit under a model has a row, too: a comparison needs its zero.
compared as (
    select
        channel,
        attribution_model,
        coalesce(conversions, 0) as conversions,
        coalesce(conversion_value_micros, 0) as conversion_value_micros
    from (select distinct channel from credited)
    cross join (select distinct attribution_model from credited)
    left join credited using (channel, attribution_model)
),

chosen as (
    select
        channel, conversions as chosen_conversions, conversion_value_micros as chosen_micros
    from compared
    where attribution_model = $model
)

select
    channel,
    attribution_model,
    conversions,
    conversion_value_micros,
    conversion_value_micros / nullif(sum(conversion_value_micros) over (partition by attribution_model), 0) as value_share,
    conversions - chosen_conversions as conversions_difference,
    (conversion_value_micros - chosen_micros)::bigint as value_difference_micros
from compared
inner join chosen using (channel)
order by chosen_micros desc, channel, attribution_model <> $model, attribution_model
