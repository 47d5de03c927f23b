/*
title: Assisted against closing
description: How many conversions each channel opened, assisted (touched before the last touch) and closed. A conversion counts once for each channel that touched it, so the rows do not add up.
uses: [period_journeys]
columns:
  channel: {title: Channel, link: "/channels?channel={channel}"}
  touched_conversions: {title: Touched, unit: count}
  opening_conversions: {title: Opened, unit: count}
  assisted_conversions: {title: Assisted, unit: count}
  closing_conversions: {title: Closed, unit: count}
  sole_conversions: {title: Alone, unit: count, description: Conversions with no other touch.}
  assisted_value_micros: {title: Assisted revenue, unit: money}
  closing_value_micros: {title: Closed revenue, unit: money}
  assisted_to_closing: {title: Assisted per closed, unit: ratio, description: "Above 1: the channel prepares more conversions than it closes."}
chart:
  transform:
    - {fold: [assisted_conversions, closing_conversions], as: [column, amount]}
    - {calculate: "datum.column == 'closing_conversions' ? 'Closed' : 'Assisted'", as: role}
  height: {step: 14}
  mark: {type: bar, tooltip: true}
  encoding:
    y: {field: channel, type: nominal, title: null, sort: {field: touched_conversions, order: descending}}
    yOffset: {field: role, sort: [Assisted, Closed]}
    x: {field: amount, type: quantitative, title: Conversions, axis: {tickCount: 8}}
    color: {field: role, type: nominal, scale: {domain: [Assisted, Closed], range: ["#4472b8", "#d9772b"]}}
*/
with by_channel as (
    select
        unnest(list_distinct(channels)) as channel,
        channels,
        value_micros
    from period_journeys
    where is_converted
),

roles as (
    select
        channel,
        value_micros,
        channels[1] = channel as is_opening,
        channels[-1] = channel as is_closing,
        list_contains(channels[:len(channels) - 1], channel) and len(channels) > 1 as is_assisting,
        len(channels) = 1 as is_alone
    from by_channel
)

select
    channel,
    count(*) as touched_conversions,
    count(*) filter (where is_opening) as opening_conversions,
    count(*) filter (where is_assisting) as assisted_conversions,
    count(*) filter (where is_closing) as closing_conversions,
    count(*) filter (where is_alone) as sole_conversions,
    coalesce(sum(value_micros) filter (where is_assisting), 0)::bigint as assisted_value_micros,
    coalesce(sum(value_micros) filter (where is_closing), 0)::bigint as closing_value_micros,
    assisted_conversions / nullif(closing_conversions, 0) as assisted_to_closing
from roles
group by channel
order by touched_conversions desc, channel
