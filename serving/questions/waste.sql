/*
title: Waste
description: Campaigns, ad sets and ads that spent money without enough result, over the period of each flag. The filter of dates keeps flags whose period overlaps with it.
uses: [flags]
columns:
  label: {title: What, unit: sentence, link: "/waste/{waste_id}", description: "The campaign, then its ad set, then its ad."}
  grain: {title: Grain, unit: label}
  platform: {title: Platform}
  severity: {title: Severity, unit: label}
  reason: {title: Reason, unit: label}
  waste_spend_micros: {title: Wasted, unit: money, description: Spend that did not pay off.}
  waste_pct: {title: Share, unit: percent, description: Wasted part of the spend of the flag's period.}
  spend_micros: {title: Spend, unit: money}
  recommendation: {title: What to do, unit: sentence}
  conversions: {title: "", unit: count}
  expected_conversions: {title: "", unit: count, description: Conversions that the spend pays at the target CPA.}
  period_start: {title: "", unit: date}
  period_end: {title: "", unit: date}
  waste_id: {title: ""}
  name: {title: "", description: "The campaign, ad set or ad."}
  campaign: {title: ""}
  campaign_id: {title: ""}
  adset_id: {title: ""}
  ad_id: {title: ""}
  attribution_model: {title: ""}
  explanation: {title: ""}
  is_counted: {title: "", description: "Whether totals count it: a flag has the same money as a coarser flag of its campaign or ad set."}
*/
select
    concat_ws(
        ' › ',
        coalesce(campaign, campaign_id),
        case when grain <> 'CAMPAIGN' then coalesce(adset, adset_id) end,
        case when grain = 'AD' then coalesce(ad, ad_id) end
    ) as label,
    grain, platform, severity, reason, waste_spend_micros, waste_pct, spend_micros, recommendation, conversions,
    expected_conversions, period_start, period_end, waste_id, name, campaign, campaign_id, adset_id, ad_id,
    attribution_model, explanation, is_counted
from flags
order by waste_spend_micros desc, case grain when 'CAMPAIGN' then 1 when 'ADSET' then 2 else 3 end, waste_id
