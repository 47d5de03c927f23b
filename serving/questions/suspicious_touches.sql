/*
title: Suspicious touches
description: Each doubtful touch with its evidence, the latest first. A touch with two reasons has two rows.
uses: [period]
columns:
  occurred_at: {title: Time (UTC), unit: time}
  platform: {title: Platform, optional: true}
  campaign: {title: Campaign, optional: true}
  creator_code: {title: Affiliate or creator, optional: true}
  reason: {title: Reason}
  evidence: {title: Evidence, unit: sentence, description: The finding and the threshold.}
  counts: {title: Counts, description: Whether the touch still gets credit.}
  touchpoint_id: {title: ""}
*/
select
    occurred_at,
    platform,
    coalesce(campaign, campaign_id) as campaign,
    creator_code,
    replace(reason, '_', ' ') as reason,
    array_to_string(
        list_transform(json_keys(evidence), lambda name: replace(name, '_', ' ') || ': ' || (evidence ->> name)), ', '
    ) as evidence,
    if(is_excluded, 'no, excluded', 'yes') as counts,
    touchpoint_id
from suspicious_touches, period
where occurred_at >= starts_at and occurred_at < ends_at and ($platform is null or platform = $platform)
order by occurred_at desc, touchpoint_id, reason
