/*
title: Platforms
description: Credit and spend of each platform of one channel, or of all.
uses: [credit, daily_spend]
columns:
  platform: {title: Platform, link: "/channels?platform={platform}"}
  spend_micros: {title: Spend, unit: money}
  conversions: {title: Conversions, unit: count}
  conversion_value_micros: {title: Revenue, unit: money}
  roas: {title: ROAS, unit: ratio}
  cpa_micros: {title: CPA, unit: money}
*/
with credited as (
    select platform, sum(conversions) as conversions, sum(conversion_value_micros)::bigint as conversion_value_micros
    from credit
    where date between $from and $to and ($channel is null or channel = $channel)
    group by platform
),

spent as (
    select platform, sum(spend_micros)::bigint as spend_micros
    from daily_spend
    where date between $from and $to and ($channel is null or channel = $channel)
    group by platform
),

totals as (
    select
        platform,
        coalesce(spend_micros, 0) as spend_micros,
        coalesce(conversions, 0) as conversions,
        coalesce(conversion_value_micros, 0) as conversion_value_micros
    from credited
    full join spent using (platform)
)

select
    platform, spend_micros, conversions, conversion_value_micros,
    conversion_value_micros / nullif(spend_micros, 0) as roas,
    round(nullif(spend_micros, 0) / nullif(conversions, 0))::bigint as cpa_micros
from totals
order by spend_micros desc, conversion_value_micros desc, platform
