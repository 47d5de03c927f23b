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

worded as (
    select
        rated.*,
        reasons.summary as summary_template,
        reasons.recommendation as recommendation_template,
        trends.trend,
    from rated
    inner join reasons using (reason, severity)
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
        ]) }} as explanation,
    from worded
)

select * from final
order by org_id, waste_spend_micros desc, waste_id
