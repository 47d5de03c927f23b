/*
title: Claims and credit over time
description: Conversions that all platforms claim and that the model credits to them, by week in periods of more than 45 days. The first and the last week can be incomplete.
columns:
  date: {title: From, unit: date}
  figure: {title: Figure}
  conversions: {title: Conversions, unit: count}
chart:
  mark: {type: line, tooltip: true, point: true}
  encoding:
    x: {field: date, type: ordinal, title: null, axis: {labelExpr: "utcFormat(toDate(datum.value), '%b %d')", labelAngle: 0, labelOverlap: true}}
    y: {field: conversions, type: quantitative, title: Conversions, axis: {format: "~s"}}
    color: {field: figure, type: nominal, scale: {domain: [Claimed, Attributed], range: ["#d9772b", "#4472b8"]}}
*/
with days as (
    select
        if($to - $from > 45, greatest(date_trunc('week', date)::date, $from::date), date) as date,
        sum(claimed_conversions)::double as claimed,
        sum(attributed_conversions)::double as attributed
    from claimed_vs_attributed
    where attribution_model = $model and date between $from and $to
    group by all
)

select
    date,
    unnest(['Claimed', 'Attributed']) as figure,
    unnest([claimed, attributed]) as conversions
from days
order by date, figure desc
