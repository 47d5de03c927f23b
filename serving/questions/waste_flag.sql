/*
title: Waste flag
description: One flag, with its evidence as JSON and the money that its advice saves.
columns:
  waste_id: {title: Flag}
  grain: {title: Grain}
  platform: {title: Platform}
  campaign_id: {title: Campaign id}
  adset_id: {title: Ad set id}
  ad_id: {title: Ad id}
  campaign: {title: Campaign}
  adset: {title: Ad set}
  ad: {title: Ad}
  period_start: {title: From, unit: date}
  period_end: {title: To, unit: date}
  attribution_model: {title: Model}
  reason: {title: Reason}
  severity: {title: Severity}
  spend_micros: {title: Spend, unit: money}
  waste_spend_micros: {title: Wasted, unit: money}
  waste_pct: {title: Share wasted, unit: percent}
  conversions: {title: Conversions, unit: count}
  expected_conversions: {title: Expected, unit: count, description: Conversions that the spend pays at the target CPA.}
  daily_spend_micros: {title: Spend a day now, unit: money, description: The average of the last 7 days of its period.}
  saved_micros: {title: Saved a month, unit: money, description: "The spend a day now, times the share wasted, times 30 days."}
  recommendation: {title: What to do, unit: sentence}
  explanation: {title: Evidence}
*/
select
    waste_id, grain, platform, campaign_id, adset_id, ad_id, campaign, adset, ad, period_start, period_end,
    attribution_model, reason, severity, spend_micros, waste_spend_micros, waste_pct, conversions, expected_conversions,
    (explanation->>'daily_spend_micros')::bigint as daily_spend_micros,
    round(daily_spend_micros * waste_pct * 30)::bigint as saved_micros,
    recommendation, explanation
from waste_flags
where waste_id = $waste_id
order by waste_id
