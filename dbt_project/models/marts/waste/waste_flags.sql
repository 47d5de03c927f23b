with

rated as (
    select * from {{ ref('int_waste_rated') }}
),

trends as (
    select * from {{ ref('int_weekly_trends') }}
),

reasons as (
    select * from {{ ref('waste_reasons') }}
),

phrases as (
    select * from {{ ref('waste_phrases') }}
),

worded as (
    select
        rated.grain,
        rated.org_id,
        rated.platform,
        rated.campaign_id,
        rated.adset_id,
        rated.ad_id,
        rated.window_days,
        rated.period_start,
        rated.period_end,
        rated.attribution_model,
        rated.spend_micros,
        rated.conversions,
        rated.value_micros,
        rated.days_with_spend,
        rated.target_cpa_micros,
        rated.target_cpa_source,
        rated.target_roas,
        rated.expected_conversions,
        rated.reason,
        rated.severity,
        rated.waste_spend_micros,
        rated.probability,
        rated.models_flagging,
        rated.peer_count,
        rated.peer_median_cpa_micros,
        rated.best_peer_id,
        rated.best_peer_cpa_micros,
        reasons.summary as summary_template,
        reasons.recommendation as recommendation_template,
        grain_phrases.phrase as grain_phrase,
        best_peer_phrases.phrase as best_peer_phrase,
        trends.trend
    from rated
    inner join reasons using (reason, severity)
    left join phrases as grain_phrases
        on grain_phrases.place = 'grain'
        and grain_phrases.variant = rated.grain
    left join phrases as best_peer_phrases
        on best_peer_phrases.place = 'best_peer'
        and best_peer_phrases.variant = case when rated.best_peer_id is null then 'unknown' else 'known' end
    left join trends
        on rated.org_id = trends.org_id
        and rated.attribution_model = trends.attribution_model
        and rated.platform = trends.platform
        and rated.campaign_id = trends.campaign_id
        and coalesce(rated.adset_id, '') = coalesce(trends.adset_id, '')
        and coalesce(rated.ad_id, '') = coalesce(trends.ad_id, '')
),

final as (
    select
        {{ dbt.hash("concat_ws('|', org_id, grain, platform, campaign_id, adset_id, ad_id, attribution_model)") }} as waste_id,
        org_id,
        grain,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        period_start,
        period_end,
        attribution_model,
        cast(spend_micros as bigint) as spend_micros,
        conversions,
        expected_conversions,
        waste_spend_micros,
        waste_spend_micros / cast(spend_micros as double) as waste_pct,
        reason,
        severity,
        {{ waste_wording('recommendation_template') }} as recommendation,
        {{ json_record([
            ('summary', waste_wording('summary_template')),
            ('spend_micros', 'cast(spend_micros as bigint)'),
            ('conversions', 'conversions'),
            ('value_micros', 'cast(value_micros as bigint)'),
            ('expected_conversions', 'expected_conversions'),
            ('probability_by_chance', 'probability'),
            ('threshold_probability', var('waste_probability')),
            ('target_cpa_micros', 'cast(round(target_cpa_micros) as bigint)'),
            ('target_cpa_source', 'target_cpa_source'),
            ('target_roas', 'target_roas'),
            ('days_with_spend', 'days_with_spend'),
            ('peer_count', 'peer_count'),
            ('peer_median_cpa_micros', 'cast(round(peer_median_cpa_micros) as bigint)'),
            ('best_peer_id', 'best_peer_id'),
            ('best_peer_cpa_micros', 'cast(round(best_peer_cpa_micros) as bigint)'),
            ('models_flagging', 'models_flagging'),
            ('trend', 'trend'),
        ]) }} as explanation
    from worded
)

select * from final
order by org_id, waste_spend_micros desc, waste_id
