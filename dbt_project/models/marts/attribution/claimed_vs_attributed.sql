with

spend as (
    select * from {{ ref('int_ad_spend') }}
),

credit as (
    select * from {{ ref('rollup_credit') }}
    where grain = 'CAMPAIGN'
        and accounting_mode = case when {{ dates_by_purchase() }} then 'cash' else 'accrual' end
),

claim_overlaps as (
    select * from {{ ref('int_claim_overlaps') }}
),

conversion_windows as (
    select * from {{ ref('conversion_windows') }}
    where is_main_type and is_main_window
),

attribution_models as (
    select * from {{ ref('int_model_modes') }}
    where accounting_mode = 'accrual'
),

claims as (
    select
        org_id,
        date,
        platform,
        campaign_id,
        sum(platform_conversions) as claimed_conversions,
        sum(platform_value_micros) as claimed_value_micros
    from spend
    where platform_conversions <> 0 or platform_value_micros <> 0
    group by org_id, date, platform, campaign_id
),

-- Claims and overlaps are the same under every model.
unioned as (
    select
        claims.org_id,
        claims.date,
        claims.platform,
        claims.campaign_id,
        attribution_models.attribution_model,
        claims.claimed_conversions,
        claims.claimed_value_micros,
        0 as attributed_conversions,
        0 as attributed_value_micros,
        0 as touched_conversions,
        0 as touched_value_micros,
        0 as overlap_conversions,
        0 as overlap_value_micros
    from claims
    cross join attribution_models

    union all

    select
        org_id,
        date,
        platform,
        campaign_id,
        attribution_model,
        0 as claimed_conversions,
        0 as claimed_value_micros,
        conversions as attributed_conversions,
        conversion_value_micros as attributed_value_micros,
        0 as touched_conversions,
        0 as touched_value_micros,
        0 as overlap_conversions,
        0 as overlap_value_micros
    from credit
    inner join conversion_windows using (org_id, conversion_type, lookback_days)
    where platform not in ('(organic)', '(unattributed)', '(unmatched)')
        and (conversions <> 0 or conversion_value_micros <> 0)

    union all

    select
        claim_overlaps.org_id,
        claim_overlaps.date,
        claim_overlaps.platform,
        claim_overlaps.campaign_id,
        attribution_models.attribution_model,
        0 as claimed_conversions,
        0 as claimed_value_micros,
        0 as attributed_conversions,
        0 as attributed_value_micros,
        claim_overlaps.touched_conversions,
        claim_overlaps.touched_value_micros,
        claim_overlaps.overlap_conversions,
        claim_overlaps.overlap_value_micros
    from claim_overlaps
    cross join attribution_models
),

summed as (
    select
        org_id,
        date,
        platform,
        campaign_id,
        attribution_model,
        cast(sum(claimed_conversions) as decimal(38, 6)) as claimed_conversions,
        cast(sum(claimed_value_micros) as bigint) as claimed_value_micros,
        cast(sum(attributed_conversions) as decimal(38, 12)) as attributed_conversions,
        cast(sum(attributed_value_micros) as bigint) as attributed_value_micros,
        cast(sum(touched_conversions) as bigint) as touched_conversions,
        cast(sum(touched_value_micros) as bigint) as touched_value_micros,
        cast(sum(overlap_conversions) as bigint) as overlap_conversions,
        cast(sum(overlap_value_micros) as bigint) as overlap_value_micros
    from unioned
    group by org_id, date, platform, campaign_id, attribution_model
),

final as (
    select
        summed.org_id,
        summed.date,
        summed.platform,
        summed.campaign_id,
        summed.attribution_model,
        conversion_windows.conversion_type,
        conversion_windows.lookback_days,
        summed.claimed_conversions,
        summed.claimed_value_micros,
        summed.attributed_conversions,
        summed.attributed_value_micros,
        summed.touched_conversions,
        summed.touched_value_micros,
        summed.overlap_conversions,
        summed.overlap_value_micros,
        cast(summed.claimed_conversions as double) / nullif(cast(summed.attributed_conversions as double), 0) as claimed_ratio
    from summed
    inner join conversion_windows using (org_id)
)

select * from final
order by org_id, date, platform, campaign_id, attribution_model
