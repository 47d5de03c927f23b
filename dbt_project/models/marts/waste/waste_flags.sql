{#- Each phrase of the sentences, and the column that chooses its variant. -#}
{%- set phrases = {
    'cut': 'cut',
    'lower_cpa': 'lever',
    'raise_roas': 'lever',
    'move': 'move',
    'name': 'grain',
    'move_to': 'grain',
} -%}
with

flags as (
    select
        *,
        lever || ' ' || action as cut,
        case
            when lever = 'ad' then 'ad'
            when move_to_campaign_id is null then 'none'
            when reason = 'low_roas' then 'roas'
            else 'cpa'
        end as move
    from {{ ref('int_waste_comparisons') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

campaigns as (
    select * from {{ ref('campaigns') }}
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

-- One row for each campaign, ad set and ad; the ids below its grain are null.
names as (
    select
        org_id,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        grouping(adset_id) = 0 as has_adset,
        grouping(ad_id) = 0 as has_ad,
        max(campaign) as campaign,
        max(adset) as adset,
        max(ad) as ad
    from campaigns
    group by grouping sets (
        (org_id, platform, campaign_id),
        (org_id, platform, campaign_id, adset_id),
        (org_id, platform, campaign_id, adset_id, ad_id)
    )
),

worded as (
    select
        flags.*,
        orgs.currency,
        names.campaign,
        names.adset,
        names.ad,
        coalesce(names.campaign, flags.campaign_id) as campaign_name,
        coalesce(names.adset, flags.adset_id) as adset_name,
        coalesce(names.ad, flags.ad_id) as ad_name,
        coalesce(move_to_names.campaign, flags.move_to_campaign_id) as move_to_campaign,
        coalesce(move_to_names.adset, flags.move_to_adset_id) as move_to_adset,
        reasons.summary as summary_template,
        reasons.recommendation as recommendation_template,
        {%- for phrase in phrases %}
        {{ phrase }}_phrases.phrase as {{ phrase }}_phrase,
        {%- endfor %}
        trends.trend
    from flags
    inner join orgs using (org_id)
    inner join reasons using (reason, severity)
    {%- for phrase, variant in phrases.items() %}
    left join phrases as {{ phrase }}_phrases
        on {{ phrase }}_phrases.place = '{{ phrase }}'
        and {{ phrase }}_phrases.variant = flags.{{ variant }}
    {%- endfor %}
    {%- for relation, prefix in [('names', ''), ('move_to_names', 'move_to_')] %}
    left join names as {{ relation }}
        on flags.org_id = {{ relation }}.org_id
        and flags.platform = {{ relation }}.platform
        and flags.{{ prefix }}campaign_id = {{ relation }}.campaign_id
        and flags.{{ prefix }}adset_id is not distinct from {{ relation }}.adset_id
        and flags.{{ prefix }}ad_id is not distinct from {{ relation }}.ad_id
        and {{ relation }}.has_adset = (flags.grain <> 'CAMPAIGN')
        and {{ relation }}.has_ad = (flags.grain = 'AD')
    {%- endfor %}
    left join trends
        on flags.org_id = trends.org_id
        and flags.attribution_model = trends.attribution_model
        and flags.platform = trends.platform
        and flags.campaign_id = trends.campaign_id
        and coalesce(flags.adset_id, '') = coalesce(trends.adset_id, '')
        and coalesce(flags.ad_id, '') = coalesce(trends.ad_id, '')
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
        campaign,
        adset,
        ad,
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
        trim({{ waste_wording('recommendation_template') }}) as recommendation,
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
            ('daily_spend_micros', 'cast(round(daily_spend_micros) as bigint)'),
            ('market', 'market'),
            ('kind', 'kind'),
            ('comparable_count', 'comparable_count'),
            ('comparable_median_cpa_micros', 'cast(round(comparable_median_cpa_micros) as bigint)'),
            ('comparable_median_roas', 'comparable_median_roas'),
            ('move_to_campaign_id', 'move_to_campaign_id'),
            ('move_to_adset_id', 'move_to_adset_id'),
            ('models_flagging', 'models_flagging'),
            ('trend', 'trend'),
        ]) }} as explanation
    from worded
)

select * from final
order by org_id, waste_spend_micros desc, waste_id
