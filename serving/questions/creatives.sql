/*
title: Creatives
description: >-
  Each ad with its spend and its credit. Spend and credit that no ad accounts for are in rows of their own, so that the
  sums are those of the platforms. Credit is at the org's lookback window.
uses: [ad_credit]
columns:
  platform: {title: Platform, link: "/channels?platform={platform}"}
  campaign_id: {title: ""}
  adset_id: {title: ""}
  ad_id: {title: ""}
  ad: {title: Ad, description: "The ad's latest name, or its id."}
  adset: {title: Ad set}
  campaign: {title: Campaign, link: "/channels?platform={platform}&campaign_id={campaign_id}"}
  ad_status: {title: Status, optional: true, description: "The ad's status in the platform's own words."}
  destination_url: {title: Landing page, unit: url, optional: true, description: "The page to which the ad leads, as the last pull found it."}
  spend_micros: {title: Spend, unit: money}
  impressions: {title: Impressions, unit: count}
  clicks: {title: Clicks, unit: count}
  ctr: {title: CTR, unit: percent, description: Clicks for each impression.}
  cpc_micros: {title: CPC, unit: money, description: Spend for each click.}
  conversions: {title: Conversions, unit: count, description: Conversions that the model credits to the ad.}
  conversion_value_micros: {title: Revenue, unit: money, description: Value that the model credits to the ad.}
  roas: {title: ROAS, unit: ratio}
*/
with spent as (
    select
        platform, campaign_id, adset_id, ad_id,
        sum(spend_micros)::bigint as spend_micros,
        sum(impressions)::bigint as impressions,
        sum(clicks)::bigint as clicks
    from rollup_spend
    where grain = 'AD' and date between $from and $to
    group by all
),

credited as (
    select
        platform, campaign_id, adset_id, ad_id,
        sum(conversions) as conversions,
        sum(conversion_value_micros)::bigint as conversion_value_micros
    from ad_credit
    group by all
),

ads as (
    select
        platform, campaign_id, adset_id, ad_id,
        coalesce(spend_micros, 0) as spend_micros,
        coalesce(impressions, 0) as impressions,
        coalesce(clicks, 0) as clicks,
        coalesce(conversions, 0) as conversions,
        coalesce(conversion_value_micros, 0) as conversion_value_micros
    from spent
    full join credited using (platform, campaign_id, adset_id, ad_id)
),

campaign_names as (
    select platform, campaign_id, max(campaign) as campaign
    from campaigns
    group by all
),

adset_names as (
    select platform, campaign_id, adset_id, max(adset) as adset
    from campaigns
    group by all
),

ad_names as (
    select platform, campaign_id, adset_id, ad_id, max(ad) as ad, max(ad_status) as ad_status
    from campaigns
    group by all
),

pages as (
    select ads.platform, ads.entity_id as ad_id, max(coalesce(ads.destination_url, creatives.destination_url)) as destination_url
    from ad_entities as ads
    left join ad_entities as creatives
        on creatives.platform = ads.platform and creatives.account_id = ads.account_id
        and creatives.entity_id = ads.creative_id and creatives.level = 'creative' and creatives.is_current
    where ads.level = 'ad' and ads.is_current
    group by all
),

named as (
    select
        ads.*,
        coalesce(ad_names.ad, if(ads.ad_id = '(unmatched)', 'No ad reported', ads.ad_id)) as ad,
        coalesce(adset_names.adset, nullif(ads.adset_id, '(unmatched)')) as adset,
        coalesce(campaign_names.campaign, if(ads.campaign_id = '(unmatched)', 'No campaign', ads.campaign_id)) as campaign,
        ad_names.ad_status,
        pages.destination_url
    from ads
    left join campaign_names using (platform, campaign_id)
    left join adset_names using (platform, campaign_id, adset_id)
    left join ad_names using (platform, campaign_id, adset_id, ad_id)
    left join pages using (platform, ad_id)
)

select
    platform, campaign_id, adset_id, ad_id, ad, adset, campaign, ad_status, destination_url,
    spend_micros, impressions, clicks,
    clicks / nullif(impressions, 0) as ctr,
    round(spend_micros / nullif(clicks, 0))::bigint as cpc_micros,
    conversions, conversion_value_micros,
    conversion_value_micros / nullif(spend_micros, 0) as roas
from named
where (spend_micros <> 0 or impressions <> 0 or clicks <> 0 or conversions <> 0 or conversion_value_micros <> 0)
    and ($search is null or contains(
        lower(concat_ws(' ', ad, ad_id, adset, adset_id, campaign, campaign_id, platform, destination_url)), lower($search)
    ))
order by spend_micros desc, conversion_value_micros desc, platform, campaign_id, adset_id, ad_id
