/*
title: What is lost without a channel
description: The share of all conversions that would be lost without the channel (model data_driven), over all days, with its 95 % interval. The longer the line, the less is known.
columns:
  channel: {title: Channel, link: "/channels?channel={channel}"}
  effect: {title: Effect, unit: percent}
  effect_low: {title: From, unit: percent, description: Start of the 95 % interval.}
  effect_high: {title: To, unit: percent, description: End of the 95 % interval.}
  journeys: {title: Journeys, unit: count, description: Journeys with the channel.}
  conversions: {title: Conversions, unit: count, description: Those of them that converted.}
  method: {title: Method, description: "exact, or sampled: Shapley values of more than 16 channels."}
chart:
  height: {step: 20}
  encoding: {y: {field: channel, type: nominal, title: null, sort: null}}
  layer:
    - mark: {type: rule, strokeWidth: 2, color: "#4472b8"}
      encoding: {x: {field: effect_low, type: quantitative, title: "Share of conversions", axis: {format: ".0%", tickCount: 6}}, x2: {field: effect_high}}
    - mark: {type: point, filled: true, size: 60, tooltip: true, color: "#4472b8"}
      encoding:
        x: {field: effect, type: quantitative}
        tooltip: [{field: channel, title: Channel}, {field: effect, title: Effect, format: ".0%"}, {field: effect_low, title: From, format: ".0%"}, {field: effect_high, title: To, format: ".0%"}]
*/
select channel, effect, effect_low, effect_high, journeys, conversions, method
from channel_effects
where conversion_type = $conversion_type and attribution_model = 'data_driven'
order by effect desc, channel
