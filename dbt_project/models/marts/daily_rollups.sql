with

performance as (
    select * from {{ ref('int_daily_performance') }}
),

waste as (
    select * from {{ ref('waste_flags') }}
),

-- The part of a day's spend that a flag calls wasted; the flag of the ad goes before its ad set's and its campaign's.
with_waste as (
    select
        performance.*,
        performance.platform = '(unattributed)' as is_unattributed,
        coalesce(
            {{ rounded_share(
                'performance.spend_micros',
                'coalesce(ad_flag.waste_spend_micros, adset_flag.waste_spend_micros, campaign_flag.waste_spend_micros)',
                'coalesce(ad_flag.spend_micros, adset_flag.spend_micros, campaign_flag.spend_micros)',
            ) }},
            0
        ) as waste_spend_micros,
    from performance
    {%- for grain, ids in [
        ('ad', ['campaign_id', 'adset_id', 'ad_id']),
        ('adset', ['campaign_id', 'adset_id']),
        ('campaign', ['campaign_id']),
    ] %}
    left join waste as {{ grain }}_flag
        on {{ grain }}_flag.grain = '{{ grain | upper }}'
        and performance.org_id = {{ grain }}_flag.org_id
        and performance.attribution_model = {{ grain }}_flag.attribution_model
        and performance.platform = {{ grain }}_flag.platform
        {%- for id in ids %}
        and performance.{{ id }} = {{ grain }}_flag.{{ id }}
        {%- endfor %}
        and performance.date between {{ grain }}_flag.period_start and {{ grain }}_flag.period_end
    {%- endfor %}
),

{%- set slice = 'org_id, date, attribution_model, lookback_days, accounting_mode, is_unattributed' %}

rolled as (
    select
        org_id,
        date,
        case
            when grouping(platform) = 1 then 'ORGANIZATION'
            when grouping(campaign_id) = 1 then 'PLATFORM'
            when grouping(adset_id) = 1 then 'CAMPAIGN'
            when grouping(ad_id) = 1 then 'ADSET'
            else 'AD'
        end as grain,
        case when grouping(platform) = 1 and is_unattributed then '(unattributed)' else platform end as platform,
        campaign_id,
        adset_id,
        ad_id,
        attribution_model,
        lookback_days,
        accounting_mode,
        cast(sum(impressions) as bigint) as impressions,
        cast(sum(clicks) as bigint) as clicks,
        cast(sum(spend_micros) as bigint) as spend_micros,
        {{ as_conversions("sum(credit)") }} as conversions,
        cast(sum(value_micros) as bigint) as conversion_value_micros,
        cast(sum(waste_spend_micros) as bigint) as waste_spend_micros,
    from with_waste
    group by grouping sets (
        ({{ slice }}),
        ({{ slice }}, platform),
        ({{ slice }}, platform, campaign_id),
        ({{ slice }}, platform, campaign_id, adset_id),
        ({{ slice }}, platform, campaign_id, adset_id, ad_id)
    )
),

final as (
    select
        org_id,
        date,
        grain,
        platform,
        campaign_id,
        adset_id,
        ad_id,
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
    from rolled
)

select * from final
order by org_id, date, grain
