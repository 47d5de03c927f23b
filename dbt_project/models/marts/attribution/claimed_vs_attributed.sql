with

spend as (
    select * from {{ ref('int_ad_spend') }}
),

rollups as (
    select * from {{ ref('daily_rollups') }}
    where grain = 'CAMPAIGN' and accounting_mode = 'accrual'
),

claimable as (
    select * from {{ ref('int_claim_overlaps') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

scenarios as (
    select * from {{ ref('int_model_modes') }}
    where accounting_mode = 'accrual'
),

claimed as (
    select
        org_id,
        date,
        platform,
        campaign_id,
        sum(platform_conversions) as claimed_conversions,
        sum(platform_value_micros) as claimed_value_micros,
    from spend
    where platform_conversions <> 0 or platform_value_micros <> 0
    group by org_id, date, platform, campaign_id
),

-- What platforms claim and what they could claim is the same under every model of ours.
unioned as (
    select
        claimed.org_id,
        claimed.date,
        claimed.platform,
        claimed.campaign_id,
        scenarios.attribution_model,
        claimed.claimed_conversions,
        claimed.claimed_value_micros,
        0 as attributed_conversions,
        0 as attributed_value_micros,
        0 as touched_conversions,
        0 as touched_value_micros,
        0 as overlap_conversions,
        0 as overlap_value_micros,
    from claimed
    cross join scenarios

    union all

    select
        org_id,
        date,
        platform,
        campaign_id,
        attribution_model,
        0,
        0,
        conversions,
        conversion_value_micros,
        0,
        0,
        0,
        0,
    from rollups
    where platform not in ('(organic)', '(unattributed)', '(unmatched)')
        and (conversions <> 0 or conversion_value_micros <> 0)

    union all

    select
        claimable.org_id,
        claimable.date,
        claimable.platform,
        claimable.campaign_id,
        scenarios.attribution_model,
        0,
        0,
        0,
        0,
        claimable.touched_conversions,
        claimable.touched_value_micros,
        claimable.overlap_conversions,
        claimable.overlap_value_micros,
    from claimable
    cross join scenarios
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
        {%- for column in ['touched_conversions', 'touched_value_micros', 'overlap_conversions', 'overlap_value_micros'] %}
        cast(sum({{ column }}) as bigint) as {{ column }},
        {%- endfor %}
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
        orgs.lookback_days,
        summed.claimed_conversions,
        summed.claimed_value_micros,
        summed.attributed_conversions,
        summed.attributed_value_micros,
        summed.touched_conversions,
        summed.touched_value_micros,
        summed.overlap_conversions,
        summed.overlap_value_micros,
        cast(summed.claimed_conversions as double) / nullif(cast(summed.attributed_conversions as double), 0) as claimed_ratio,
    from summed
    inner join orgs using (org_id)
)

select * from final
order by org_id, date, platform, campaign_id, attribution_model
