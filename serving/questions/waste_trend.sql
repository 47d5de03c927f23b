/*
title: Week by week
description: "The last 13 weeks to the end of the flag's period: spend, and what the model credits."
columns:
  week: {title: Week from, unit: date}
  spend_micros: {title: Spend, unit: money}
  value_micros: {title: Revenue, unit: money}
  conversions: {title: Conversions, unit: count}
  cpa_micros: {title: CPA, unit: money}
  roas: {title: ROAS, unit: ratio}
  is_in_period: {title: In the period}
chart:
  transform:
    - {fold: [spend_micros, value_micros], as: [column, amount]}
    - {calculate: "datum.column == 'spend_micros' ? 'Spend' : 'Revenue'", as: figure}
  mark: {type: bar, tooltip: true}
  encoding:
    x: {field: week, type: ordinal, title: Week from, axis: {labelExpr: "timeFormat(toDate(datum.value), '%b %d')", labelAngle: 0, labelOverlap: true}}
    xOffset: {field: figure, sort: [Spend, Revenue]}
    y: {field: amount, type: quantitative, title: null, axis: {format: "~s"}}
    color: {field: figure, type: nominal, scale: {domain: [Spend, Revenue], range: ["#d9772b", "#4472b8"]}}
    opacity: {field: is_in_period, type: ordinal, legend: null, scale: {domain: ["no", "yes"], range: [0.4, 1]}}
*/
with weeks as (
    select
        period_start, period_end,
        unnest(from_json(explanation->'trend', '[{"weeks_ago": "INTEGER", "spend_micros": "BIGINT", "conversions": "DOUBLE", "value_micros": "BIGINT"}]')) as week
    from waste_flags
    where waste_id = $waste_id
)

select
    period_end - 7 * week.weeks_ago - 6 as week,
    week.spend_micros as spend_micros,
    week.value_micros as value_micros,
    week.conversions as conversions,
    round(nullif(week.spend_micros, 0) / nullif(week.conversions, 0))::bigint as cpa_micros,
    week.value_micros / nullif(week.spend_micros, 0) as roas,
    if(period_end - 7 * week.weeks_ago >= period_start, 'yes', 'no') as is_in_period
from weeks
order by 1
