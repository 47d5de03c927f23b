/*
title: Campaigns
description: Credit and spend of each campaign of a channel, of a platform, or of all. (unmatched) has what no campaign accounts for.
uses: [credit, daily_spend]
columns:
  campaign: {title: Campaign, link: "/channels?platform={platform}&campaign_id={campaign_id}"}
  campaign_id: {title: Id}
  platform: {title: Platform}
  spend_micros: {title: Spend, unit: money}
  conversions: {title: Conversions, unit: count}
  conversion_value_micros: {title: Revenue, unit: money}
  roas: {title: ROAS, unit: ratio}
  cpa_micros: {title: CPA, unit: money}
*/
with credited as (
    select
        platform, campaign_id,
        sum(conversions) as conversions, sum(conversion_value_micros)::bigint as conversion_value_micros
    from credit
    where date between $from and $to
        and ($channel is null or channel = $channel) and ($platform is null or platform = $platform)
    group by platform, campaign_id
),

spent as (
    select platform, campaign_id, sum(spend_micros)::bigint as spend_micros
    from daily_spend
    where date between $from and $to
        and ($channel is null or channel = $channel) and ($platform is null or platform = $platform)
    group by platform, campaign_id
),

names as (
    select platform, campaign_id, max(campaign) as campaign
    from campaigns
    group by platform, campaign_id
)

select
    coalesce(campaign, campaign_id) as campaign,
    campaign_id,
    platform,
    coalesce(spend_micros, 0) as spend_micros,
    coalesce(conversions, 0) as conversions,
    coalesce(conversion_value_micros, 0) as conversion_value_micros,
    conversion_value_micros / nullif(spend_micros, 0) as roas,
    round(nullif(spend_micros, 0) / nullif(conversions, 0))::bigint as cpa_micros
from credited
full join spent using (platform, campaign_id)
left join names using (platform, campaign_id)
order by spend_micros desc, conversion_value_micros desc, platform, campaign_id
