{#- Each of the three is summed to every grain on its own; only then is spend repeated for the models and modes. -#}
{%- set scenario = ['attribution_model', 'lookback_days', 'accounting_mode'] -%}
{%- set entity = ['org_id', 'date', 'grain', 'platform', 'campaign_id', 'adset_id', 'ad_id'] -%}
with

spend as (
    select * from {{ ref('int_daily_spend') }}
),

credit as (
    select * from {{ ref('int_daily_credit') }}
),

waste as (
    select * from {{ ref('int_daily_waste') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

scenarios as (
    select * from {{ ref('int_model_modes') }}
),

{% for source, slice, measures in [
    ('spend', [], ['impressions', 'clicks', 'spend_micros']),
    ('credit', scenario, ['credit', 'value_micros']),
    ('waste', ['attribution_model'], ['waste_spend_micros']),
] -%}
{% set slice = (['org_id', 'date'] + slice + ['is_unattributed']) | join(', ') -%}
-- An id finer than the grain is '' for now, so that rows meet by equality.
{{ source }}_by_grain as (
    select
        {{ slice }},
        case
            when grouping(platform) = 1 then 'ORGANIZATION'
            when grouping(campaign_id) = 1 then 'PLATFORM'
            when grouping(adset_id) = 1 then 'CAMPAIGN'
            when grouping(ad_id) = 1 then 'ADSET'
            else 'AD'
        end as grain,
        case when grouping(platform) = 1 and is_unattributed then '(unattributed)' else coalesce(platform, '') end as platform,
        coalesce(campaign_id, '') as campaign_id,
        coalesce(adset_id, '') as adset_id,
        coalesce(ad_id, '') as ad_id,
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }},
        {%- endfor %}
    from (select *, platform = '(unattributed)' as is_unattributed from {{ source }}) as {{ source }}_rows
    group by grouping sets (
        ({{ slice }}),
        ({{ slice }}, platform),
        ({{ slice }}, platform, campaign_id),
        ({{ slice }}, platform, campaign_id, adset_id),
        ({{ slice }}, platform, campaign_id, adset_id, ad_id)
    )
),

{% endfor -%}

-- Spend is the same whatever the model and mode say of conversions, so that every slice holds all of it. Sorted before it
-- is repeated, it comes out by org and day; to sort all of the mart would take longer than the rest.
spend_by_scenario as (
    select
        spend_by_grain.*,
        scenarios.attribution_model,
        orgs.lookback_days,
        scenarios.accounting_mode,
        waste_by_grain.waste_spend_micros,
    from (select * from spend_by_grain order by org_id, date, grain) as spend_by_grain
    inner join orgs using (org_id)
    cross join scenarios
    left join waste_by_grain
        on scenarios.attribution_model = waste_by_grain.attribution_model
        {%- for column in entity %}
        and spend_by_grain.{{ column }} = waste_by_grain.{{ column }}
        {%- endfor %}
),

joined as (
    select
        {{ (entity + scenario) | join(', ') }},
        cast(coalesce(spend_by_scenario.impressions, 0) as bigint) as impressions,
        cast(coalesce(spend_by_scenario.clicks, 0) as bigint) as clicks,
        cast(coalesce(spend_by_scenario.spend_micros, 0) as bigint) as spend_micros,
        {{ as_conversions('coalesce(credit_by_grain.credit, 0)') }} as conversions,
        cast(coalesce(credit_by_grain.value_micros, 0) as bigint) as conversion_value_micros,
        cast(coalesce(spend_by_scenario.waste_spend_micros, 0) as bigint) as waste_spend_micros,
    from spend_by_scenario
    full join credit_by_grain using ({{ (entity + scenario) | join(', ') }})
),

final as (
    select
        org_id,
        date,
        grain,
        nullif(platform, '') as platform,
        nullif(campaign_id, '') as campaign_id,
        nullif(adset_id, '') as adset_id,
        nullif(ad_id, '') as ad_id,
        attribution_model,
        lookback_days,
        accounting_mode,
        impressions,
        clicks,
        spend_micros,
        conversions,
        conversion_value_micros,
        spend_micros / 1e6 / nullif(conversions, 0) as cpa,
        conversion_value_micros / cast(nullif(spend_micros, 0) as double) as roas,
        clicks / cast(nullif(impressions, 0) as double) as ctr,
        spend_micros / 1e6 / nullif(clicks, 0) as cpc,
        waste_spend_micros,
        waste_spend_micros / cast(nullif(spend_micros, 0) as double) as waste_pct,
    from joined
)

select * from final
