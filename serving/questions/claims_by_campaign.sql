/*
title: Claims by campaign
description: >-
  The same figures for each campaign of one platform, or of all.
columns:
  platform: {title: Platform, link: "/claims?platform={platform}"}
  campaign_id: {title: ""}
  campaign: {title: Campaign, link: "/channels?platform={platform}&campaign_id={campaign_id}"}
  claimed_conversions: {title: Claimed, unit: count, description: "Conversions that the platform claims, by its own windows and rules."}
  attributed_conversions: {title: Attributed, unit: count, description: "Conversions that the model credits, on the day by which the platform dates its claims."}
  claimed_ratio: {title: Ratio, unit: ratio, description: Claimed conversions for each attributed one.}
  touched_conversions: {title: Touched, unit: count, description: "Conversions with a touch of the campaign in the main window: the most that the platform can know of."}
  overlap_conversions: {title: Overlap, unit: count, description: Touched conversions that another ad platform touched too. Both can claim them.}
  overlap_share: {title: Overlap share, unit: percent, description: Overlap as a share of the touched conversions.}
  claimed_value_micros: {title: Claimed value, unit: money}
  attributed_value_micros: {title: Attributed value, unit: money}
*/
with claims as (
    select
        platform, campaign_id,
        sum(claimed_conversions) as claimed_conversions,
        sum(attributed_conversions) as attributed_conversions,
        sum(touched_conversions)::bigint as touched_conversions,
        sum(overlap_conversions)::bigint as overlap_conversions,
        sum(claimed_value_micros)::bigint as claimed_value_micros,
        sum(attributed_value_micros)::bigint as attributed_value_micros
    from claimed_vs_attributed
    where attribution_model = $model and date between $from and $to
        and ($platform is null or platform = $platform)
    group by platform, campaign_id
),

names as (
    select platform, campaign_id, max(campaign) as campaign
    from campaigns
    group by platform, campaign_id
)

select
    platform,
    campaign_id,
    coalesce(campaign, if(campaign_id = '(unmatched)', 'No campaign', campaign_id)) as campaign,
    claimed_conversions,
    attributed_conversions,
    claimed_conversions / nullif(attributed_conversions, 0)::double as claimed_ratio,
    touched_conversions,
    overlap_conversions,
    overlap_conversions / nullif(touched_conversions, 0) as overlap_share,
    claimed_value_micros,
    attributed_value_micros
from claims
left join names using (platform, campaign_id)
order by claimed_conversions desc, attributed_conversions desc, platform, campaign_id
