/*
title: Waste
description: Campaigns, ad sets and ads that spent money without enough result, over the period of each flag. The filter of dates keeps flags whose period overlaps with it.
columns:
  waste_id: {title: Flag, link: "/waste/{waste_id}"}
  grain: {title: Grain, unit: label}
  platform: {title: Platform, link: "/channels?platform={platform}"}
  name: {title: Name, description: "The campaign, ad set or ad."}
  campaign: {title: ""}
  campaign_id: {title: ""}
  adset_id: {title: ""}
  ad_id: {title: ""}
  reason: {title: Reason, unit: label}
  severity: {title: Severity}
  spend_micros: {title: Spend, unit: money}
  waste_spend_micros: {title: Wasted, unit: money, description: Spend that did not pay off.}
  waste_pct: {title: Share, unit: percent}
  conversions: {title: Conversions, unit: count}
  expected_conversions: {title: Expected, unit: count, description: Conversions that the spend pays at the target CPA.}
  period_start: {title: From, unit: date}
  period_end: {title: To, unit: date}
  attribution_model: {title: ""}
  recommendation: {title: What to do, unit: sentence}
  explanation: {title: ""}
*/
select
    waste_id, grain, platform,
    case grain
        when 'CAMPAIGN' then coalesce(campaign, campaign_id)
        when 'ADSET' then coalesce(adset, adset_id)
        else coalesce(ad, ad_id)
    end as name,
    campaign, campaign_id, adset_id, ad_id, reason, severity, spend_micros, waste_spend_micros, waste_pct,
    conversions, expected_conversions, period_start, period_end, attribution_model, recommendation, explanation
from waste_flags
where ($waste_id is not null or (attribution_model = $model and period_end >= $from and period_start <= $to))
    and ($waste_id is null or waste_id = $waste_id)
    and ($grain is null or grain = $grain)
    and ($severity is null or severity = $severity)
    and ($reason is null or reason = $reason)
    and ($platform is null or platform = $platform)
    and waste_spend_micros >= $min_waste
order by waste_spend_micros desc, waste_id
