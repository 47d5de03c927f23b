/*
title: Daily rollups
description: "Spend and credit of each day at one grain, with the unattributed and unmatched rest: each grain has the same totals. At the chosen window if the org's rollup_windows have it, else at the lookback window."
columns:
  date: {title: Day, unit: date}
  grain: {title: Grain}
  platform: {title: Platform}
  campaign_id: {title: Campaign id}
  adset_id: {title: Ad set id}
  ad_id: {title: Ad id}
  attribution_model: {title: Model}
  lookback_days: {title: Window, unit: count, description: Days of the window.}
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
-- This is the view daily_rollups for one model. Planning the view, which joins all models, takes longer than this query.
with chosen_window as (
    select lookback_days
    from conversion_windows
    where conversion_type = $conversion_type and is_in_rollups and (is_main_window or lookback_days = $window)
    order by lookback_days = $window desc
    limit 1
),

credit as (
    select rollup_credit.*
    from rollup_credit
    join chosen_window using (lookback_days)
    where date between $from and $to
        and grain = coalesce($grain, 'CAMPAIGN')
        and attribution_model = $model and accounting_mode = $mode and conversion_type = $conversion_type
),

spend as (
    select rollup_spend.*, chosen_window.lookback_days
    from rollup_spend
    cross join chosen_window
    where date between $from and $to
        and grain = coalesce($grain, 'CAMPAIGN')
),

rollups as (
    select
        spend.date, spend.grain, spend.platform, spend.campaign_id, spend.adset_id, spend.ad_id, spend.lookback_days,
        impressions, clicks, spend_micros, coalesce(conversions, 0) as conversions,
        coalesce(conversion_value_micros, 0) as conversion_value_micros,
        coalesce(waste_spend_micros, 0) as waste_spend_micros
    from spend
    left join credit using (org_id, rollup_id)
    union all
    select
        date, grain, platform, campaign_id, adset_id, ad_id, lookback_days,
        0, 0, 0, conversions, conversion_value_micros, waste_spend_micros
    from credit
    where rollup_id is null
)

select
    date, grain, platform, campaign_id, adset_id, ad_id, $model as attribution_model, lookback_days,
    $mode as accounting_mode, impressions, clicks, spend_micros, conversions, conversion_value_micros,
    conversion_value_micros / nullif(spend_micros, 0) as roas,
    round(spend_micros / nullif(conversions, 0))::bigint as cpa_micros,
    waste_spend_micros
from rollups
where ($platform is null or platform = $platform) and ($campaign_id is null or campaign_id = $campaign_id)
order by date, platform, campaign_id, adset_id, ad_id
