/*
title: Claims in total
description: Conversions that all ad platforms claim, and those that the model credits to them.
columns:
  claimed_conversions: {title: Claimed, unit: count, better: neither, description: "Conversions that the platforms claim, each by its own rules."}
  attributed_conversions: {title: Attributed, unit: count, better: neither, description: Conversions that the model credits to the same platforms.}
  claimed_ratio: {title: Ratio, unit: ratio, better: neither, description: Claimed conversions for each attributed one.}
  claimed_value_micros: {title: Claimed value, unit: money, better: neither}
  attributed_value_micros: {title: Attributed value, unit: money, better: neither}
  claimed_share: {title: Claimed of booked, unit: percent, better: neither, description: "Claimed conversions as a share of all booked ones of the main type, whoever brought them."}
*/
with claims as (
    select
        sum(claimed_conversions) as claimed_conversions,
        sum(attributed_conversions) as attributed_conversions,
        sum(claimed_value_micros)::bigint as claimed_value_micros,
        sum(attributed_value_micros)::bigint as attributed_value_micros
    from claimed_vs_attributed
    where attribution_model = $model and date between $from and $to
),

booked as (
    select count(*) as booked_conversions
    from conversions
    where date between $from and $to
        and conversion_type in (select conversion_type from conversion_windows where is_main_type)
)

select
    coalesce(claimed_conversions, 0) as claimed_conversions,
    coalesce(attributed_conversions, 0) as attributed_conversions,
    claimed_conversions / nullif(attributed_conversions, 0)::double as claimed_ratio,
    coalesce(claimed_value_micros, 0) as claimed_value_micros,
    coalesce(attributed_value_micros, 0) as attributed_value_micros,
    claimed_conversions / nullif(booked_conversions, 0)::double as claimed_share
from claims, booked
