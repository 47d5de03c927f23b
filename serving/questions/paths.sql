/*
title: Top paths
description: The channels of each journey in order of time, at the org's lookback window. A journey without a conversion counts on the day of its last touch.
uses: [period_journeys]
columns:
  path: {title: Path, unit: sentence}
  path_length: {title: Touches, unit: count}
  conversions: {title: Conversions, unit: count}
  value_micros: {title: Revenue, unit: money}
  non_conversions: {title: Not converted, unit: count, description: "Journeys on this path that have not converted, or not yet."}
  conversion_rate: {title: Rate, unit: percent, description: Conversions of all journeys on this path.}
  median_days_to_convert: {title: Median days, unit: days, description: From the first touch to the conversion.}
*/
select
    array_to_string(channels, ' > ') as path,
    path_length,
    count(*) filter (where is_converted) as conversions,
    sum(value_micros)::bigint as value_micros,
    coalesce(sum(sample_weight) filter (where not is_converted), 0)::decimal(18, 6) as non_conversions,
    conversions / (conversions + non_conversions::double) as conversion_rate,
    median(epoch(converted_at - first_touch_at) / 86400.0) as median_days_to_convert
from period_journeys
group by channels, path_length
order by conversions desc, value_micros desc, non_conversions desc, path
