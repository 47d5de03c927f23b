/*
title: Spend by day for pacing
description: Daily spend of each platform, or of one campaign, in the month of the last day and the month before.
uses: [daily_spend]
columns:
  date: {title: Day, unit: date}
  platform: {title: Platform}
  campaign: {title: Campaign, optional: true}
  spend_micros: {title: Spend, unit: money}
*/
select
    date,
    platform,
    (
        select max(campaign)
        from campaigns
        where $campaign_id is not null and campaigns.platform = $platform and campaigns.campaign_id = $campaign_id
    ) as campaign,
    sum(spend_micros)::bigint as spend_micros
from daily_spend
where date between date_trunc('month', $to::date) - interval 1 month and $to
    and ($platform is null or platform = $platform)
    and ($campaign_id is null or campaign_id = $campaign_id)
group by all
order by date, platform
