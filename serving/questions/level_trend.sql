/*
title: Spend and revenue by day
description: Spend and credited revenue of the chosen level.
uses: [credit, touch_credit, daily_spend, ad_spend, level_credit, level_first_credit, level_spend]
columns:
  date: {title: Day, unit: date}
  spend_micros: {title: Spend, unit: money}
  conversion_value_micros: {title: Revenue, unit: money}
  conversions: {title: Conversions, unit: count}
  roas: {title: ROAS, unit: ratio}
  cpa_micros: {title: CPA, unit: money}
  first_conversions: {title: First conversions, unit: count}
  cac_micros: {title: CAC, unit: money}
chart:
  transform:
    - {fold: [conversion_value_micros, spend_micros], as: [column, amount]}
    - {calculate: "datum.column == 'spend_micros' ? 'Spend' : 'Revenue'", as: figure}
  mark: {type: line, tooltip: true}
  encoding:
    x: {field: date, type: temporal, timeUnit: utcyearmonthdate, title: null, axis: {format: "%b %d", tickCount: 8}}
    y: {field: amount, type: quantitative, title: null, axis: {format: "~s"}}
    color: {field: figure, type: nominal, scale: {domain: [Revenue, Spend], range: ["#4472b8", "#d9772b"]}}
    strokeDash: {field: figure, type: nominal, scale: {domain: [Revenue, Spend], range: [[1, 0], [5, 3]]}}
*/
with days as (
    select unnest(generate_series($from::date, $to::date, interval 1 day))::date as date
),

credited as (
    select date, sum(conversions) as conversions, sum(conversion_value_micros)::bigint as conversion_value_micros
    from level_credit
    group by date
),

first_credited as (
    select date, sum(first_conversions) as first_conversions
    from level_first_credit
    group by date
),

spent as (
    select date, sum(spend_micros)::bigint as spend_micros
    from level_spend
    group by date
)

select
    date,
    coalesce(spend_micros, 0) as spend_micros,
    coalesce(conversion_value_micros, 0) as conversion_value_micros,
    coalesce(conversions, 0) as conversions,
    conversion_value_micros / nullif(spend_micros, 0) as roas,
    round(nullif(spend_micros, 0) / nullif(conversions, 0))::bigint as cpa_micros,
    coalesce(first_conversions, 0) as first_conversions,
    round(nullif(spend_micros, 0) / nullif(first_conversions, 0))::bigint as cac_micros
from days
left join credited using (date)
left join first_credited using (date)
left join spent using (date)
order by date
