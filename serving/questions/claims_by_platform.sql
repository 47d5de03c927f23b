/*
title: Claims by platform
description: >-
  What each platform claims, and the orders that it touched and gets credit for.
columns:
  platform: {title: Platform, link: "/claims?platform={platform}"}
  claimed_conversions: {title: Claimed, unit: count, description: "Conversions that the platform claims, by its own windows and rules."}
  attributed_conversions: {title: Attributed, unit: count, description: "Conversions that the model credits, on the day by which the platform dates its claims."}
  claimed_ratio: {title: Ratio, unit: ratio, description: Claimed conversions for each attributed one.}
  touched_conversions: {title: Touched, unit: count, description: "Conversions with a touch of the campaign in the main window: the most that the platform can know of. One with touches of two campaigns counts for both."}
  overlap_conversions: {title: Overlap, unit: count, description: Touched conversions that another ad platform touched too. Both can claim them.}
  overlap_share: {title: Overlap share, unit: percent, description: Overlap as a share of the touched conversions.}
  claimed_value_micros: {title: Claimed value, unit: money}
  attributed_value_micros: {title: Attributed value, unit: money}
  reading: {title: How to read it, unit: sentence}
*/
with claims as (
    select
        platform,
        sum(claimed_conversions) as claimed_conversions,
        sum(attributed_conversions) as attributed_conversions,
        sum(touched_conversions)::bigint as touched_conversions,
        sum(overlap_conversions)::bigint as overlap_conversions,
        sum(claimed_value_micros)::bigint as claimed_value_micros,
        sum(attributed_value_micros)::bigint as attributed_value_micros
    from claimed_vs_attributed
    where attribution_model = $model and date between $from and $to
    group by platform
)

select
    platform,
    claimed_conversions,
    attributed_conversions,
    claimed_conversions / nullif(attributed_conversions, 0)::double as claimed_ratio,
    touched_conversions,
    overlap_conversions,
    overlap_conversions / nullif(touched_conversions, 0) as overlap_share,
    claimed_value_micros,
    attributed_value_micros,
    case
        when claimed_conversions = 0 and attributed_conversions = 0 then 'It touched orders, but claims none and gets no credit.'
        when claimed_conversions = 0 then 'It reports no conversions, so there is nothing to compare.'
        when claimed_conversions > touched_conversions
            then format('It claims {:.0f} more than it touched. These are views, other devices or estimates of the platform.',
                (claimed_conversions - touched_conversions)::double)
        when claimed_conversions > attributed_conversions
            then format('It claims {:.0f} more than the model credits: other channels took part in these orders.',
                (claimed_conversions - attributed_conversions)::double)
        else 'It claims no more than the model credits.'
    end as reading
from claims
order by claimed_conversions desc, attributed_conversions desc, platform
