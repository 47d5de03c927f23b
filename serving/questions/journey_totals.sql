/*
title: Journeys of the period
description: Conversions with a known touch in the org's lookback window, and how long they took.
uses: [booked, period_journeys]
columns:
  conversions: {title: Conversions, unit: count, better: higher, description: All conversions of the period.}
  with_touch: {title: With a known touch, unit: percent, description: Conversions whose person has a touch in the lookback window.}
  median_touches: {title: Median touches, unit: count, better: neither}
  median_days: {title: Median days, unit: days, better: lower, description: From the first touch to the conversion.}
  several_channels: {title: More than one channel, unit: percent, better: neither, description: Conversions with touches of at least two channels.}
*/
with totals as (
    select
        count(*) as journeys,
        median(path_length)::double as median_touches,
        median(epoch(converted_at - first_touch_at) / 86400.0) as median_days,
        count(*) filter (where len(list_distinct(channels)) > 1) / nullif(count(*), 0) as several_channels
    from period_journeys
    where is_converted
),

all_conversions as (
    select count(*) as conversions from booked where date between $from and $to
)

select conversions, journeys / nullif(conversions, 0) as with_touch, median_touches, median_days, several_channels
from totals, all_conversions
