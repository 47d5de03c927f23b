/*
title: Explanation of a conversion
description: Each touch of the person, kept or dropped with the reason, and its credit under each model at the chosen window. A touch without credit has one row without a model.
columns:
  conversion_id: {title: Conversion, link: "/journeys/{conversion_id}"}
  position: {title: "#", unit: count}
  occurred_at: {title: Time (UTC), unit: time}
  channel: {title: Channel}
  platform: {title: Platform}
  touch_type: {title: Type}
  campaign_id: {title: Campaign id}
  days_before_conversion: {title: Days before, unit: days}
  is_kept: {title: Kept, description: "Whether it gets credit at the org's lookback window."}
  reason: {title: Reason}
  merged_into: {title: Part of}
  touchpoint_id: {title: Touch}
  attribution_model: {title: Model}
  lookback_days: {title: Window, unit: count}
  weight: {title: Credit, unit: percent}
  attributed_value_micros: {title: Revenue, unit: money}
*/
select
    touches.conversion_id, touches.position, touches.occurred_at, touches.channel, touches.platform, touches.touch_type,
    touches.campaign_id, touches.days_before_conversion, touches.is_kept, touches.reason, touches.merged_into,
    touches.touchpoint_id, links.attribution_model, links.lookback_days, links.weight, links.attributed_value_micros
from attribution_candidates as touches
left join (
    select touchpoint_id, attribution_model, lookback_days, weight, attributed_value_micros
    from window_links
    where conversion_id = $conversion_id and lookback_days = $window
) as links using (touchpoint_id)
where touches.conversion_id = $conversion_id
order by touches.occurred_at, touches.touchpoint_id, links.attribution_model
