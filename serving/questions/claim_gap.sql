/*
title: The gap between claims and credit
description: Conversions of each platform that it claims, that it touched, and that the model credits to it.
columns:
  platform: {title: Platform}
  figure: {title: Figure}
  conversions: {title: Conversions, unit: count}
chart:
  mark: {type: bar, tooltip: true}
  encoding:
    y: {field: platform, type: nominal, title: null, sort: null}
    yOffset: {field: figure, type: nominal, sort: [Claimed, Touched, Attributed]}
    x: {field: conversions, type: quantitative, title: Conversions, axis: {format: "~s"}}
    color:
      field: figure
      type: nominal
      sort: [Claimed, Touched, Attributed]
      scale: {domain: [Claimed, Touched, Attributed], range: ["#d9772b", "#7f8a99", "#4472b8"]}
*/
with claims as (
    select
        platform,
        sum(claimed_conversions)::double as claimed,
        sum(touched_conversions)::double as touched,
        sum(attributed_conversions)::double as attributed
    from claimed_vs_attributed
    where attribution_model = $model and date between $from and $to
    group by platform
)

select
    platform,
    unnest(['Claimed', 'Touched', 'Attributed']) as figure,
    unnest([claimed, touched, attributed]) as conversions
from claims
order by claimed desc, platform, figure = 'Attributed', figure = 'Touched'
