/*
title: What a channel adds to the conversion rate
description: The channel's part of the conversion rate (model shapley), over all days, with its 95 % interval. Below 0, journeys with the channel convert less; the credit is then 0.
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
    - mark: {type: rule, strokeWidth: 2, color: "#d9772b"}
      encoding: {x: {field: effect_low, type: quantitative, title: "Part of the conversion rate", axis: {format: ".2%", tickCount: 6}}, x2: {field: effect_high}}
    - mark: {type: point, filled: true, size: 60, tooltip: true, color: "#d9772b"}
      encoding:
        x: {field: effect, type: quantitative}
        tooltip: [{field: channel, title: Channel}, {field: effect, title: Effect, format: ".2%"}, {field: effect_low, title: From, format: ".2%"}, {field: effect_high, title: To, format: ".2%"}]
*/
select channel, effect, effect_low, effect_high, journeys, conversions, method
from channel_effects
where conversion_type = $conversion_type and attribution_model = 'shapley'
order by effect desc, channel
