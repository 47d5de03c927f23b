/*
title: Models that flag it
description: The verdict of each attribution model on the same campaign, ad set or ad.
columns:
  attribution_model: {title: Model, unit: label, link: "/waste/{waste_id}"}
  verdict: {title: Verdict}
  reason: {title: Reason, unit: label}
  severity: {title: Severity, unit: label}
  period_start: {title: From, unit: date}
  period_end: {title: To, unit: date}
  conversions: {title: Conversions, unit: count}
  waste_spend_micros: {title: Wasted, unit: money}
  waste_id: {title: ""}
*/
with chosen as (
    select grain, platform, campaign_id, adset_id, ad_id from waste_flags where waste_id = $waste_id
),

flagging as (
    select waste_flags.*
    from waste_flags
    inner join chosen
        on waste_flags.grain = chosen.grain
        and waste_flags.platform = chosen.platform
        and waste_flags.campaign_id = chosen.campaign_id
        and waste_flags.adset_id is not distinct from chosen.adset_id
        and waste_flags.ad_id is not distinct from chosen.ad_id
),

models as (
    select distinct attribution_model from model_comparison where exists (select 1 from chosen)
)

select
    models.attribution_model,
    if(flagging.waste_id is null, 'not flagged', 'flagged') as verdict,
    reason, severity, period_start, period_end, conversions, waste_spend_micros, waste_id
from models
left join flagging using (attribution_model)
order by waste_spend_micros desc nulls last, attribution_model
