/*
title: Coverage by channel
description: Touches of each channel with a campaign or a click id. Direct and organic ones have neither.
uses: [period]
columns:
  channel: {title: Channel}
  touches: {title: Touches, unit: count}
  matched_share: {title: Known campaign, unit: percent, description: Touches of a paid channel whose campaign a platform reported.}
  click_id_share: {title: Click id, unit: percent}
  utm_share: {title: UTM campaign, unit: percent, description: Touches whose link names a campaign.}
  person_share: {title: Known customer, unit: percent, description: Touches of visitors whose customer id was known at the time.}
*/
select
    channel,
    count(*) as touches,
    if(
        starts_with(channel, 'Paid') or channel in ('Display', 'Affiliates'),
        count(*) filter (where campaign_id is not null and campaign_match not in ('declared', 'none')) / count(*),
        null
    ) as matched_share,
    count(click_id) / count(*) as click_id_share,
    count(campaign) / count(*) as utm_share,
    count(customer_id) / count(*) as person_share
from touchpoints, period
where occurred_at >= starts_at and occurred_at < ends_at
group by channel
having count(campaign_id) + count(click_id) + count(campaign) > 0
order by touches desc, channel
