/*
title: Key figures of the level
description: Spend and credit of one channel, platform, campaign or ad set, or of all of them.
uses: [credit, touch_credit, daily_spend, ad_spend, level_credit, level_first_credit, level_spend]
columns:
  spend_micros: {title: Spend, unit: money, better: neither, description: "Spend in the period, by the day of the platform."}
  conversion_value_micros: {title: Revenue, unit: money, description: Value that the model credits.}
  conversions: {title: Conversions, unit: count, description: Conversions that the model credits.}
  roas: {title: ROAS, unit: ratio, description: Revenue for each unit of spend.}
  cpa_micros: {title: CPA, unit: money, better: lower, description: Spend for each credited conversion.}
  first_conversions: {title: First conversions, unit: count, description: "Credited conversions that are the first one of a person, always at the org's lookback window."}
  cac_micros: {title: CAC, unit: money, better: lower, description: "Spend for each credited first conversion, always at the org's lookback window."}
*/
with credited as (
    select
        coalesce(sum(conversion_value_micros), 0)::bigint as conversion_value_micros,
        coalesce(sum(conversions), 0) as conversions
    from level_credit
),

first_credited as (
    select coalesce(sum(first_conversions), 0) as first_conversions from level_first_credit
),

spent as (
    select coalesce(sum(spend_micros), 0)::bigint as spend_micros from level_spend
)

select
    spend_micros,
    conversion_value_micros,
    conversions,
    conversion_value_micros / nullif(spend_micros, 0) as roas,
    round(nullif(spend_micros, 0) / nullif(conversions, 0))::bigint as cpa_micros,
    first_conversions,
    round(nullif(spend_micros, 0) / nullif(first_conversions, 0))::bigint as cac_micros
from credited, first_credited, spent
