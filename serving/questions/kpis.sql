/*
title: Key figures
description: Booked revenue and conversions, spend, and their ratios.
uses: [booked, credit, daily_spend]
columns:
  revenue_micros: {title: Revenue, unit: money, description: Value of all conversions after refunds.}
  conversions: {title: Conversions, unit: count, description: "Conversions of the chosen type and customers, by their day."}
  spend_micros: {title: Spend, unit: money, better: neither, description: Spend of all platforms.}
  roas: {title: ROAS, unit: ratio, description: Value that the model credits to paid platforms for each unit of spend.}
  mer: {title: MER, unit: ratio, description: "Marketing efficiency ratio: revenue for each unit of spend."}
  cpa_micros: {title: CPA, unit: money, better: lower, description: Spend for each conversion that the model credits to paid platforms.}
  cac_micros: {title: CAC, unit: money, better: lower, description: Spend for each first conversion of a person.}
*/
with revenue as (
    select
        coalesce(sum(value_micros), 0)::bigint as revenue_micros,
        count(*) as conversions,
        count(*) filter (where is_first_conversion) as first_conversions
    from booked
    where date between $from and $to
),

paid as (
    select coalesce(sum(conversion_value_micros), 0)::bigint as value_micros, sum(conversions) as conversions
    from credit
    where date between $from and $to and not starts_with(platform, '(')
),

spent as (
    select coalesce(sum(spend_micros), 0)::bigint as spend_micros
    from daily_spend
    where date between $from and $to
)

select
    revenue_micros,
    revenue.conversions,
    spend_micros,
    paid.value_micros / nullif(spend_micros, 0) as roas,
    revenue_micros / nullif(spend_micros, 0) as mer,
    round(spend_micros / nullif(paid.conversions, 0))::bigint as cpa_micros,
    round(spend_micros / nullif(first_conversions, 0))::bigint as cac_micros
from revenue, paid, spent
