/*
title: Decisions that flip
description: "Campaigns that meet their target under some models and windows and miss it under others, in the latest quarter with spend. Decide these with care: the model decides for you."
columns:
  campaign: {title: Campaign, link: "/channels?platform={platform}&campaign_id={campaign_id}"}
  campaign_id: {title: ""}
  platform: {title: Platform}
  metric: {title: Metric}
  spend_micros: {title: At stake, unit: money, description: Spend of the campaign in the quarter.}
  target: {title: Target, unit: number, description: "CPA: in units of the currency. ROAS: revenue for each unit of spend."}
  figure: {title: "Now", unit: number, description: Under the org's own model and window.}
  verdict: {title: Verdict, description: Under the org's own model and window.}
  agreement: {title: Meets it under, unit: percent, description: Share of all models and windows under which it meets the target.}
  best_view: {title: At best}
  worst_view: {title: At worst}
  best_figure: {title: "", unit: number}
  worst_figure: {title: "", unit: number}
  period_start: {title: "", unit: date}
  period_end: {title: "", unit: date}
*/
select
    coalesce(campaign, campaign_id) as campaign,
    campaign_id,
    platform,
    upper(metric) as metric,
    spend_micros,
    target,
    figure,
    if(is_good, 'meets it', 'misses it') as verdict,
    good_views / nullif(all_views, 0) as agreement,
    printf('%.2f', best_figure) || ' (' || replace(best_model, '_', ' ') || ', ' || best_lookback_days || if(best_lookback_days = 1, ' day)', ' days)') as best_view,
    printf('%.2f', worst_figure) || ' (' || replace(worst_model, '_', ' ') || ', ' || worst_lookback_days || if(worst_lookback_days = 1, ' day)', ' days)') as worst_view,
    best_figure,
    worst_figure,
    period_start,
    period_end
from decision_flips
where conversion_type = $conversion_type
order by spend_micros desc, platform, campaign_id, metric
