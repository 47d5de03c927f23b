{%- set entity = 'org_id, attribution_model, grain, platform, campaign_id, adset_id, ad_id' -%}
{%- set recent = 'window_days = ' ~ var('waste_recent_days') -%}
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

with_excess as (
    select
        *,
        spend_micros - conversions * target_cpa_micros as cpa_excess_micros,
        spend_micros - greatest(value_micros, 0) / target_roas as roas_excess_micros
    from candidates
),

with_recent_excess as (
    select
        *,
        max(case when {{ recent }} then cpa_excess_micros end) over (partition by {{ entity }}) as recent_cpa_excess_micros,
        max(case when {{ recent }} then roas_excess_micros end) over (partition by {{ entity }}) as recent_roas_excess_micros
    from with_excess
),

-- A long window counts only if its recent part falls short, too: somebody may have repaired the campaign.
with_reason as (
    select
        *,
        case
            when cpa_probability <= {{ var('waste_probability') }}
                and cpa_excess_micros > 0
                and (window_days <= {{ var('waste_recent_days') }} or recent_cpa_excess_micros > 0)
                then case when conversions <= 0 then 'no_conversions' else 'high_cpa' end
            when roas_probability <= {{ var('waste_probability') }}
                and roas_excess_micros > 0
                and (window_days <= {{ var('waste_recent_days') }} or recent_roas_excess_micros > 0)
                then 'low_roas'
        end as reason
    from with_recent_excess
),

with_waste as (
    select
        *,
        cast(round(case
            when reason = 'no_conversions' then spend_micros
            when reason = 'high_cpa' then cpa_excess_micros
            when reason = 'low_roas' then roas_excess_micros
        end) as bigint) as waste_spend_micros,
        case when reason = 'low_roas' then roas_probability else cpa_probability end as probability
    from with_reason
    where reason is not null
),

-- Each entity and model has one flag: the window in which it wasted the most money, so that all wasted time counts.
ranked as (
    select
        *,
        row_number() over (partition by {{ entity }} order by waste_spend_micros desc, window_days) as rank
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
        ranked.daily_spend_micros,
        ranked.target_cpa_micros,
        ranked.target_cpa_source,
        ranked.target_roas,
        ranked.expected_conversions,
        ranked.reason,
        ranked.waste_spend_micros,
        ranked.probability,
        count(*) over (
            partition by ranked.org_id, ranked.grain, ranked.platform, ranked.campaign_id, ranked.adset_id, ranked.ad_id
        ) as models_flagging,
        org_spend.org_spend_micros,
        case
            when ranked.probability <= {{ var('waste_probability_high') }}
                and ranked.waste_spend_micros >= {{ var('waste_share_high') }} * org_spend.org_spend_micros then 'high'
            when ranked.probability <= {{ var('waste_probability_medium') }}
                and (
                    ranked.waste_spend_micros >= {{ var('waste_share_medium') }} * org_spend.org_spend_micros
                    or ranked.waste_spend_micros >= {{ var('waste_conversions_medium') }} * ranked.target_cpa_micros
                ) then 'medium'
            else 'low'
        end as severity
    from ranked
    inner join org_spend using (org_id, window_days, attribution_model)
    where ranked.rank = 1
)

select * from final
