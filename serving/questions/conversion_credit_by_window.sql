/*
title: Credit in each window
description: The share of each touch under the chosen model, by the days that the window looks back.
columns:
  touch: {title: Touch}
  lookback_days: {title: Window, unit: count}
  weight: {title: Credit, unit: percent}
  attributed_value_micros: {title: Revenue, unit: money}
*/
select
    strftime(touches.occurred_at, '%Y-%m-%d %H:%M') || ' ' || touches.channel as touch,
    links.lookback_days,
    links.weight,
    links.attributed_value_micros
from (
    select * from window_links where conversion_id = $conversion_id and attribution_model = $model
) as links
inner join (
    select touchpoint_id, channel, occurred_at from touchpoints
) as touches using (touchpoint_id)
order by touches.occurred_at, touches.touchpoint_id, links.lookback_days
