/*
title: Key figures by day
description: The key figures of each day of the period.
uses: [booked, credit, daily_spend]
columns:
  date: {title: Day, unit: date}
  revenue_micros: {title: Revenue, unit: money}
  conversions: {title: Conversions, unit: count}
  spend_micros: {title: Spend, unit: money}
  roas: {title: ROAS, unit: ratio}
  mer: {title: MER, unit: ratio}
  cpa_micros: {title: CPA, unit: money}
  cac_micros: {title: CAC, unit: money}
*/
with days as (
    select unnest(generate_series($from::date, $to::date, interval 1 day))::date as date
),

revenue as (
    select
        date,
        sum(value_micros)::bigint as revenue_micros,
        count(*) as conversions,
        count(*) filter (where is_first_conversion) as first_conversions
    from booked
    group by date
),

paid as (
    select date, sum(conversion_value_micros)::bigint as value_micros, sum(conversions) as conversions
    from credit
    where not starts_with(platform, '(')
    group by date
),

spent as (
    select date, sum(spend_micros)::bigint as spend_micros
    from daily_spend
    group by date
)

select
    date,
    coalesce(revenue_micros, 0) as revenue_micros,
    coalesce(revenue.conversions, 0) as conversions,
    coalesce(spend_micros, 0) as spend_micros,
    coalesce(paid.value_micros, 0) / nullif(spend_micros, 0) as roas,
    coalesce(revenue_micros, 0) / nullif(spend_micros, 0) as mer,
    round(spend_micros / nullif(paid.conversions, 0))::bigint as cpa_micros,
    round(spend_micros / nullif(first_conversions, 0))::bigint as cac_micros
from days
left join revenue using (date)
left join paid using (date)
left join spent using (date)
order by date
