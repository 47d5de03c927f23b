/*
title: Timeline
description: Each touch of the person, kept or dropped at the org's lookback window, with the reason.
columns:
  position: {title: "#", unit: count}
  occurred_at: {title: Time (UTC), unit: time}
  channel: {title: Channel}
  touch_type: {title: Type}
  platform: {title: Platform}
  campaign: {title: Campaign}
  campaign_id: {title: ""}
  days_before_conversion: {title: Days before, unit: days}
  is_kept: {title: Kept}
  reason: {title: Reason}
  merged_into: {title: ""}
  touchpoint_id: {title: ""}
*/
with names as (
    select platform, campaign_id, max(campaign) as campaign
    from campaigns
    group by platform, campaign_id
)

select
    position, occurred_at, channel, touch_type, platform,
    coalesce(names.campaign, touches.campaign, touches.campaign_id) as campaign,
    touches.campaign_id,
    days_before_conversion, is_kept, reason, merged_into, touches.touchpoint_id
from attribution_candidates as touches
left join names using (platform, campaign_id)
where conversion_id = $conversion_id
order by occurred_at, touches.touchpoint_id
