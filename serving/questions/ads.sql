/*
title: Ads
description: Credit and spend of each ad of an ad set, or of all, at the org's lookback window.
uses: [touch_credit, ad_spend]
columns:
  ad: {title: Ad}
  ad_id: {title: Id}
  spend_micros: {title: Spend, unit: money}
  conversions: {title: Conversions, unit: count}
  conversion_value_micros: {title: Revenue, unit: money}
  roas: {title: ROAS, unit: ratio}
  cpa_micros: {title: CPA, unit: money}
  impressions: {title: Impressions, unit: count}
  clicks: {title: Clicks, unit: count}
  platform: {title: ""}
  campaign_id: {title: ""}
*/
with credited as (
    select
        platform, campaign_id, adset_id, ad_id,
        sum(conversions) as conversions, sum(conversion_value_micros)::bigint as conversion_value_micros
    from touch_credit
    where date between $from and $to
        and ($channel is null or channel = $channel)
        and ($platform is null or platform = $platform)
        and ($campaign_id is null or campaign_id = $campaign_id)
        and ($adset_id is null or adset_id = $adset_id)
    group by all
),

spent as (
    select
        platform, campaign_id, adset_id, ad_id,
        sum(spend_micros)::bigint as spend_micros, sum(impressions)::bigint as impressions, sum(clicks)::bigint as clicks
    from ad_spend
    where $adset_id is null or adset_id = $adset_id
    group by all
),

names as (
    select platform, campaign_id, adset_id, ad_id, max(ad) as ad
    from campaigns
    group by all
)

select
    coalesce(ad, ad_id) as ad,
    ad_id,
    coalesce(spend_micros, 0) as spend_micros,
    coalesce(conversions, 0) as conversions,
    coalesce(conversion_value_micros, 0) as conversion_value_micros,
    conversion_value_micros / nullif(spend_micros, 0) as roas,
    round(nullif(spend_micros, 0) / nullif(conversions, 0))::bigint as cpa_micros,
    coalesce(impressions, 0) as impressions,
    coalesce(clicks, 0) as clicks,
    platform,
    campaign_id
from credited
full join spent using (platform, campaign_id, adset_id, ad_id)
left join names using (platform, campaign_id, adset_id, ad_id)
order by spend_micros desc, conversion_value_micros desc, platform, campaign_id, adset_id, ad_id
