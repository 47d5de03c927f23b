with

candidates as (
    select * from {{ ref('int_waste_candidates') }}
),

org_spend as (
    select
        org_id,
        window_days,
        attribution_model,
        sum(spend_micros) as org_spend_micros
    from candidates
    where grain = 'CAMPAIGN'
    group by org_id, window_days, attribution_model
),

-- A peer is the best only if it has enough conversions for its cost per conversion to be steady.
peers as (
    select
        org_id,
        platform,
        grain,
        window_days,
        attribution_model,
        count(*) as peer_count,
        median(spend_micros / conversions) as peer_median_cpa_micros,
        min_by(coalesce(ad_id, adset_id, campaign_id), spend_micros / conversions)
            filter (where conversions >= {{ var('waste_peer_min_conversions') }}) as best_peer_id,
        min(spend_micros / conversions)
            filter (where conversions >= {{ var('waste_peer_min_conversions') }}) as best_peer_cpa_micros
    from candidates
    where conversions > 0
    group by org_id, platform, grain, window_days, attribution_model
),

with_reason as (
    select
        *,
        case
            when conversions <= 0 and cpa_probability <= {{ var('waste_probability') }} then 'no_conversions'
            when cpa_probability <= {{ var('waste_probability') }} then 'high_cpa'
            when roas_probability <= {{ var('waste_probability') }} then 'low_roas'
        end as reason
    from candidates
),

with_waste as (
    select
        *,
        cast(round(case reason
            when 'no_conversions' then spend_micros
            when 'high_cpa' then spend_micros - conversions * target_cpa_micros
            when 'low_roas' then spend_micros - greatest(value_micros, 0) / target_roas
        end) as bigint) as waste_spend_micros,
        case when reason = 'low_roas' then roas_probability else cpa_probability end as probability
    from with_reason
    where reason is not null
),

-- Each entity and model has one flag: the window in which it wasted the most money.
ranked as (
    select
        *,
        row_number() over (
            partition by org_id, attribution_model, grain, platform, campaign_id, adset_id, ad_id
            order by waste_spend_micros desc, window_days desc
        ) as rank,
        count(*) over (partition by org_id, grain, platform, campaign_id, adset_id, ad_id, window_days) as models_flagging
    from with_waste
    where waste_spend_micros > 0
),

final as (
    select
        ranked.grain,
        ranked.org_id,
        ranked.platform,
        ranked.campaign_id,
        ranked.adset_id,
        ranked.ad_id,
        ranked.window_days,
        ranked.period_start,
        ranked.period_end,
        ranked.attribution_model,
        ranked.spend_micros,
        ranked.conversions,
        ranked.value_micros,
        ranked.days_with_spend,
        ranked.target_cpa_micros,
        ranked.target_cpa_source,
        ranked.target_roas,
        ranked.expected_conversions,
        ranked.reason,
        ranked.waste_spend_micros,
        ranked.probability,
        ranked.models_flagging,
        org_spend.org_spend_micros,
        case
            when ranked.probability <= {{ var('waste_probability_high') }}
                and ranked.waste_spend_micros >= {{ var('waste_share_high') }} * org_spend.org_spend_micros then 'high'
            when ranked.probability <= {{ var('waste_probability_medium') }}
                and ranked.waste_spend_micros >= {{ var('waste_share_medium') }} * org_spend.org_spend_micros then 'medium'
            else 'low'
        end as severity,
        peers.peer_count,
        peers.peer_median_cpa_micros,
        peers.best_peer_id,
        peers.best_peer_cpa_micros
    from ranked
    inner join org_spend using (org_id, window_days, attribution_model)
    left join peers using (org_id, platform, grain, window_days, attribution_model)
    where ranked.rank = 1
)

select * from final
