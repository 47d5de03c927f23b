/*
title: Channels
description: Credit and spend of each channel.
uses: [credit, daily_spend]
columns:
  channel: {title: Channel, link: "/channels?channel={channel}"}
  spend_micros: {title: Spend, unit: money}
  conversions: {title: Conversions, unit: count}
  conversion_value_micros: {title: Revenue, unit: money}
  value_share: {title: Share, unit: percent, description: Share of the attributed revenue.}
  roas: {title: ROAS, unit: ratio}
  cpa_micros: {title: CPA, unit: money}
*/
with credited as (
    select channel, sum(conversions) as conversions, sum(conversion_value_micros)::bigint as conversion_value_micros
    from credit
    where date between $from and $to
    group by channel
),

spent as (
    select channel, sum(spend_micros)::bigint as spend_micros
    from daily_spend
    where date between $from and $to
    group by channel
),

totals as (
    select
        channel,
        coalesce(spend_micros, 0) as spend_micros,
        coalesce(conversions, 0) as conversions,
        coalesce(conversion_value_micros, 0) as conversion_value_micros
    from credited
    full join spent using (channel)
)

select
    channel, spend_micros, conversions, conversion_value_micros,
    conversion_value_micros / nullif(sum(conversion_value_micros) over (), 0) as value_share,
    conversion_value_micros / nullif(spend_micros, 0) as roas,
    round(nullif(spend_micros, 0) / nullif(conversions, 0))::bigint as cpa_micros
from totals
order by conversion_value_micros desc, channel
