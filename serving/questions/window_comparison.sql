/*
title: Windows side by side
description: How the chosen model's credit moves as the window looks back further. Revenue without a touch in the window is (unattributed).
columns:
  channel: {title: Channel}
  window_title: {title: Window}
  lookback_days: {title: "", unit: count}
  conversions: {title: Conversions, unit: count}
  conversion_value_micros: {title: Revenue, unit: money}
  value_share: {title: Share, unit: percent}
chart:
  mark: {type: bar, tooltip: true}
  encoding:
    x: {field: window_title, type: nominal, title: Lookback window, sort: {field: lookback_days}, axis: {labelAngle: 0, labelOverlap: true}}
    y: {field: value_share, type: quantitative, title: Share of revenue, axis: {format: "%"}}
    color: {field: channel, type: nominal}
    tooltip: [{field: channel, title: Channel}, {field: window_title, title: Window}, {field: conversion_value_micros, title: Revenue, format: ",.2f"}, {field: value_share, title: Share, format: ".1%"}]
*/
with credited as (
    select
        channel, lookback_days,
        sum(conversions) as conversions, sum(conversion_value_micros)::bigint as conversion_value_micros
    from channel_credit
    where conversion_type = $conversion_type and attribution_model = $model and date between $from and $to
    group by channel, lookback_days
),

compared as (
    select
        channel,
        lookback_days,
        coalesce(conversions, 0) as conversions,
        coalesce(conversion_value_micros, 0) as conversion_value_micros,
        max(coalesce(conversion_value_micros, 0)) over (partition by channel) as most_micros
    from (select distinct channel from credited)
    cross join (select distinct lookback_days from credited)
    left join credited using (channel, lookback_days)
)

select
    channel,
    lookback_days || if(lookback_days = 1, ' day', ' days') as window_title,
    lookback_days,
    conversions,
    conversion_value_micros,
    conversion_value_micros / nullif(sum(conversion_value_micros) over (partition by lookback_days), 0) as value_share
from compared
order by most_micros desc, channel, lookback_days
