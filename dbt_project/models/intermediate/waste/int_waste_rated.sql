with

candidates as (
    select * from {{ ref('int_waste_candidates') }}
),

org_spend as (
    select
        org_id,
        window_days,
        attribution_model,
        sum(spend_micros) as org_spend_micros,
    from candidates
    where grain = 'CAMPAIGN'
    group by org_id, window_days, attribution_model
),

-- What the same platform's others pay, and the best of them with enough conversions to be believed.
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
            filter (where conversions >= {{ var('waste_peer_min_conversions') }}) as best_peer_cpa_micros,
    from candidates
    where conversions > 0
    group by org_id, platform, grain, window_days, attribution_model
),

judged as (
    select
        *,
        case
            when conversions <= 0 and cpa_probability <= {{ var('waste_probability') }} then 'no_conversions'
            when cpa_probability <= {{ var('waste_probability') }} then 'high_cpa'
            when roas_probability <= {{ var('waste_probability') }} then 'low_roas'
        end as reason,
    from candidates
),

measured as (
    select
        *,
        cast(round(case reason
            when 'no_conversions' then spend_micros
            when 'high_cpa' then spend_micros - conversions * target_cpa_micros
            when 'low_roas' then spend_micros - greatest(value_micros, 0) / target_roas
        end) as bigint) as waste_spend_micros,
        case when reason = 'low_roas' then roas_probability else cpa_probability end as probability,
    from judged
    where reason is not null
),

-- One flag an entity and model: the trailing window in which the most money was wasted.
worst_window as (
    select
        *,
        row_number() over (
            partition by org_id, attribution_model, grain, platform, campaign_id, adset_id, ad_id
            order by waste_spend_micros desc, window_days desc
        ) as rank,
        count(*) over (partition by org_id, grain, platform, campaign_id, adset_id, ad_id, window_days) as models_flagging,
    from measured
    where waste_spend_micros > 0
),

rated as (
    select
        worst_window.*,
        org_spend.org_spend_micros,
        case
            when probability <= {{ var('waste_probability_high') }}
                and waste_spend_micros >= {{ var('waste_share_high') }} * org_spend.org_spend_micros then 'high'
            when probability <= {{ var('waste_probability_medium') }}
                and waste_spend_micros >= {{ var('waste_share_medium') }} * org_spend.org_spend_micros then 'medium'
            else 'low'
        end as severity,
    from worst_window
    inner join org_spend using (org_id, window_days, attribution_model)
    where rank = 1
),

final as (
    select
        rated.*,
        peers.peer_count,
        peers.peer_median_cpa_micros,
        peers.best_peer_id,
        peers.best_peer_cpa_micros,
    from rated
    left join peers using (org_id, platform, grain, window_days, attribution_model)
)

select * from final
