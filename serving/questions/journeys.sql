/*
title: Conversions and their journeys
description: Each conversion of the period with the channels that led to it, at the org's lookback window. The latest is first.
columns:
  local_time: {title: Time, unit: time, description: In the org's time zone.}
  order_id: {title: Order, link: "/journeys/{conversion_id}"}
  value_micros: {title: Value, unit: money}
  path: {title: Path, unit: sentence}
  touches: {title: Touches, unit: count}
  days_to_convert: {title: Days, unit: days, description: From the first touch to the conversion.}
  customer: {title: Customer, description: "new: the first conversion of the person."}
  customer_id: {title: Customer id}
  conversion_id: {title: ""}
  occurred_at: {title: "", unit: time, description: In UTC.}
  date: {title: "", unit: date}
*/
select
    conversions.occurred_at at time zone 'UTC' at time zone orgs.timezone as local_time,
    coalesce(conversions.order_id, conversions.conversion_id) as order_id,
    conversions.value_micros,
    coalesce(array_to_string(journeys.channels, ' > '), '(unattributed)') as path,
    coalesce(journeys.path_length, 0) as touches,
    epoch(journeys.converted_at - journeys.first_touch_at) / 86400.0 as days_to_convert,
    if(conversions.is_first_conversion, 'new', 'returning') as customer,
    conversions.customer_id,
    conversions.conversion_id,
    conversions.occurred_at,
    conversions.date
from conversions
inner join orgs using (org_id)
left join journeys on journeys.journey_id = conversions.conversion_id and journeys.is_converted
where conversions.conversion_type = $conversion_type
    and conversions.date between $from and $to
    and ($customers = 'all' or conversions.is_first_conversion = ($customers = 'new'))
    and ($conversion_id is null or conversions.conversion_id = $conversion_id)
    and ($channel is null or list_contains(journeys.channels, $channel) or ($channel = '(unattributed)' and journeys.journey_id is null))
    and ($search is null
        or contains(lower(conversions.order_id), lower($search))
        or contains(lower(conversions.conversion_id), lower($search))
        or contains(lower(conversions.customer_id), lower($search)))
order by conversions.occurred_at desc, conversions.conversion_id
