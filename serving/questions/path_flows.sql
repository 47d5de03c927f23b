/*
title: Last touches before a conversion
description: The last three touches of converting journeys, from left to right. Journeys of more touches begin with (earlier touches).
uses: [period_journeys]
columns:
  step: {title: Step, unit: count, description: "0: from earlier touches; 3: to the conversion."}
  from_channel: {title: From}
  to_channel: {title: To}
  conversions: {title: Conversions, unit: count}
  value_micros: {title: Revenue, unit: money}
*/
with converted as (
    select channels, value_micros from period_journeys where is_converted
),

-- Eight channels can be told apart in a diagram.
top_channels as (
    select channel
    from (select unnest(channels) as channel from converted)
    group by channel
    order by count(*) desc, channel
    limit 8
),

steps as (
    select
        4 - back as step,
        if(back = 4, '(earlier touches)', channels[-back]) as from_channel,
        if(back = 1, '(conversion)', channels[1 - back]) as to_channel,
        value_micros
    from converted, (select unnest([1, 2, 3, 4])::integer as back)
    where len(channels) >= back
)

select
    step,
    if(starts_with(from_channel, '(') or from_channel in (select channel from top_channels), from_channel, 'Other channels') as from_channel,
    if(starts_with(to_channel, '(') or to_channel in (select channel from top_channels), to_channel, 'Other channels') as to_channel,
    count(*) as conversions,
    sum(value_micros)::bigint as value_micros
from steps
group by all
order by step, conversions desc, from_channel, to_channel
