/*
title: Daily rollups
description: "Spend and credit of each day at one grain, with the unattributed and unmatched rest: each grain has the same totals. At the org's lookback window."
columns:
  date: {title: Day, unit: date}
  grain: {title: Grain}
  platform: {title: Platform}
  campaign_id: {title: Campaign id}
  adset_id: {title: Ad set id}
  ad_id: {title: Ad id}
  attribution_model: {title: Model}
  lookback_days: {title: Window, unit: count, description: Days of the lookback window.}
  accounting_mode: {title: Accounting}
  impressions: {title: Impressions, unit: count}
  clicks: {title: Clicks, unit: count}
  spend_micros: {title: Spend, unit: money}
  conversions: {title: Conversions, unit: count}
  conversion_value_micros: {title: Revenue, unit: money}
  roas: {title: ROAS, unit: ratio}
  cpa_micros: {title: CPA, unit: money, better: lower}
  waste_spend_micros: {title: Wasted, unit: money, better: lower}
*/
select
    date, grain, platform, campaign_id, adset_id, ad_id, attribution_model, lookback_days, accounting_mode,
    impressions, clicks, spend_micros, conversions, conversion_value_micros, roas,
    round(spend_micros / nullif(conversions, 0))::bigint as cpa_micros,
    waste_spend_micros
from daily_rollups
where date between $from and $to
    and grain = coalesce($grain, 'CAMPAIGN')
    and attribution_model = $model
    and accounting_mode = $mode
    and conversion_type = $conversion_type
    and ($platform is null or platform = $platform)
    and ($campaign_id is null or campaign_id = $campaign_id)
order by date, platform, campaign_id, adset_id, ad_id
