/*
title: Worst waste
description: The flags with most wasted spend, whatever their period.
columns:
  name: {title: What, link: "/waste/{waste_id}"}
  waste_id: {title: ""}
  grain: {title: Grain, unit: label}
  platform: {title: Platform}
  reason: {title: Reason, unit: label}
  severity: {title: Severity, unit: label}
  waste_spend_micros: {title: Wasted, unit: money}
  recommendation: {title: What to do, unit: sentence}
*/
select
    case grain
        when 'CAMPAIGN' then coalesce(campaign, campaign_id)
        when 'ADSET' then coalesce(adset, adset_id)
        else coalesce(ad, ad_id)
    end as name,
    waste_id, grain, platform, reason, severity, waste_spend_micros, recommendation
from waste_flags
where attribution_model = $model and grain = 'CAMPAIGN'
order by waste_spend_micros desc, waste_id
