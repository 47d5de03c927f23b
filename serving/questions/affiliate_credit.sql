/*
title: Credit of affiliates
description: Spend and credit of each affiliate network and its campaigns.
uses: [credit, daily_spend]
columns:
  platform: {title: Network, link: "/channels?platform={platform}"}
  campaign_id: {title: ""}
  campaign: {title: Campaign, link: "/channels?platform={platform}&campaign_id={campaign_id}"}
  spend_micros: {title: Spend, unit: money, description: Approved payouts and the spend that the network reports.}
  conversions: {title: Conversions, unit: count}
  conversion_value_micros: {title: Revenue, unit: money}
  roas: {title: ROAS, unit: ratio}
  cpa_micros: {title: CPA, unit: money}
*/
with credited as (
    select platform, campaign_id, sum(conversions) as conversions, sum(conversion_value_micros)::bigint as conversion_value_micros
    from credit
    where channel = 'Affiliates' and date between $from and $to
    group by all
),

spent as (
    select platform, campaign_id, sum(spend_micros)::bigint as spend_micros
    from daily_spend
    where channel = 'Affiliates' and date between $from and $to
    group by all
),

names as (
    select platform, campaign_id, max(campaign) as campaign
    from campaigns
    group by all
)

select
    platform,
    campaign_id,
    coalesce(campaign, if(campaign_id = '(unmatched)', 'No campaign', campaign_id)) as campaign,
    coalesce(spend_micros, 0) as spend_micros,
    coalesce(conversions, 0) as conversions,
    coalesce(conversion_value_micros, 0) as conversion_value_micros,
    conversion_value_micros / nullif(spend_micros, 0) as roas,
    round(spend_micros / nullif(conversions, 0))::bigint as cpa_micros
from credited
full join spent using (platform, campaign_id)
left join names using (platform, campaign_id)
where coalesce(spend_micros, 0) <> 0 or coalesce(conversions, 0) <> 0 or coalesce(conversion_value_micros, 0) <> 0
order by spend_micros desc, conversion_value_micros desc, platform, campaign_id
