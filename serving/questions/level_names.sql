/*
title: Names of the level
description: The names of the chosen campaign and ad set.
columns:
  campaign: {title: Campaign}
  adset: {title: Ad set}
*/
select
    max(campaign) as campaign,
    max(adset) filter (where adset_id = $adset_id) as adset
from campaigns
where ($platform is null or platform = $platform) and campaign_id = $campaign_id
