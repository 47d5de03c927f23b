{#- The org, then each grain. Spend is the same under every model, so the models join after the sums. -#}
{%- set grains = [
    [],
    ['platform', 'campaign_id'],
    ['platform', 'campaign_id', 'adset_id'],
    ['platform', 'campaign_id', 'adset_id', 'ad_id'],
] -%}
{%- set shortest = var('waste_window_days') | min -%}
with

spend as (
    select * from {{ ref('int_spend_with_commissions') }}
),

credit as (
    select * from {{ ref('int_main_type_credit') }}
),

last_activity as (
    select * from {{ ref('int_org_last_activity') }}
),

attribution_models as (
    select * from {{ ref('int_model_modes') }}
    where accounting_mode = 'cash'
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

targets as (
    select * from {{ ref('stg_raw__targets') }}
),

window_lengths as (
    {%- for days in var('waste_window_days') %}
    select {{ days }} as window_days
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

-- Windows end on the org's last day with spend, not today, so that the same data give the same flags on any day.
windows as (
    select
        spend_periods.org_id,
        window_lengths.window_days,
        spend_periods.last_spend_date - (window_lengths.window_days - 1) as period_start,
        spend_periods.last_spend_date as period_end
    from (
        select
            spend.org_id,
            max(spend.date) as last_spend_date
        from spend
        left join last_activity using (org_id)
        where spend.spend_micros <> 0
            and spend.date <= coalesce(last_activity.last_date, spend.date)
        group by spend.org_id
    ) as spend_periods
    cross join window_lengths
),

spend_sums as (
    select
        {{ waste_grain() }} as grain,
        spend.org_id,
        spend.platform,
        spend.campaign_id,
        spend.adset_id,
        spend.ad_id,
        windows.window_days,
        windows.period_end,
        min(case when spend.spend_micros > 0 then spend.date end) as period_start,
        cast(sum(spend.spend_micros) as bigint) as spend_micros,
        count(distinct case when spend.spend_micros > 0 then spend.date end) as days_with_spend
    from spend
    inner join windows
        on spend.org_id = windows.org_id
        and spend.date between windows.period_start and windows.period_end
    group by grouping sets (
        {%- for ids in grains %}
        ({{ (['spend.org_id', 'windows.window_days', 'windows.period_end'] + ids) | join(', ') }}){{ ',' if not loop.last }}
        {%- endfor %}
    )
),

credit_sums as (
    select
        {{ waste_grain() }} as grain,
        credit.org_id,
        credit.platform,
        credit.campaign_id,
        credit.adset_id,
        credit.ad_id,
        windows.window_days,
        credit.attribution_model,
        sum(credit.credit) / 1e12 as conversions,
        sum(case when credit.platform not in ('(organic)', '(unattributed)') then credit.credit else 0 end) / 1e12 as paid_conversions,
        sum(credit.value_micros) as value_micros
    from credit
    inner join windows
        on credit.org_id = windows.org_id
        and credit.date between windows.period_start and windows.period_end
    group by grouping sets (
        {%- for ids in grains %}
        ({{ (['credit.org_id', 'windows.window_days', 'credit.attribution_model'] + ids) | join(', ') }}){{ ',' if not loop.last }}
        {%- endfor %}
    )
),

performance as (
    select
        spend_sums.grain,
        spend_sums.org_id,
        spend_sums.platform,
        spend_sums.campaign_id,
        spend_sums.adset_id,
        spend_sums.ad_id,
        spend_sums.window_days,
        spend_sums.period_start,
        spend_sums.period_end,
        attribution_models.attribution_model,
        spend_sums.spend_micros,
        spend_sums.days_with_spend,
        coalesce(credit_sums.conversions, 0) as conversions,
        coalesce(credit_sums.paid_conversions, 0) as paid_conversions,
        coalesce(credit_sums.value_micros, 0) as value_micros
    from spend_sums
    cross join attribution_models
    left join credit_sums
        on spend_sums.grain = credit_sums.grain
        and spend_sums.org_id = credit_sums.org_id
        and spend_sums.window_days = credit_sums.window_days
        and attribution_models.attribution_model = credit_sums.attribution_model
        {%- for id in grains[-1] %}
        and spend_sums.{{ id }} is not distinct from credit_sums.{{ id }}
        {%- endfor %}
),

-- Where nobody set a target, the org's own cost per conversion is the yardstick.
own_cpa as (
    select
        org_id,
        window_days,
        attribution_model,
        spend_micros / nullif(paid_conversions, 0) as own_cpa_micros,
        value_micros / nullif(conversions, 0) as own_order_value_micros
    from performance
    where grain = 'ORGANIZATION'
),

-- Nobody can act on an entity that has stopped.
entities as (
    select *
    from (
        select
            *,
            max(case when window_days = {{ shortest }} then spend_micros end) over (
                partition by grain, org_id, attribution_model, platform, campaign_id, adset_id, ad_id
            ) / {{ shortest }} as daily_spend_micros
        from performance
        where grain <> 'ORGANIZATION'
    ) as with_daily_spend
    where spend_micros > 0 and daily_spend_micros > 0
),

-- Spend that no campaign, ad set or ad accounts for cannot be paused, so it is no candidate.
with_targets as (
    select
        entities.grain,
        entities.org_id,
        entities.platform,
        entities.campaign_id,
        entities.adset_id,
        entities.ad_id,
        entities.window_days,
        entities.period_start,
        entities.period_end,
        entities.attribution_model,
        entities.spend_micros,
        entities.conversions,
        entities.value_micros,
        entities.days_with_spend,
        entities.daily_spend_micros,
        own_cpa.own_order_value_micros,
        coalesce({{ target_of('cpa_micros') }}, own_cpa.own_cpa_micros) as target_cpa_micros,
        {{ target_of('roas') }} as target_roas,
        case
            when campaign_targets.cpa_micros is not null then 'campaign'
            when platform_targets.cpa_micros is not null then 'platform'
            when orgs.target_cpa_micros is not null then 'org'
            else 'own'
        end as target_cpa_source
    from entities
    inner join orgs using (org_id)
    left join own_cpa using (org_id, window_days, attribution_model)
    {{ target_joins('entities') }}
    where entities.campaign_id <> '(unmatched)'
        and coalesce(entities.adset_id, '') <> '(unmatched)'
        and coalesce(entities.ad_id, '') <> '(unmatched)'
),

with_expectations as (
    select
        *,
        spend_micros / nullif(target_cpa_micros, 0) as expected_conversions,
        spend_micros * target_roas / nullif(own_order_value_micros, 0) as expected_orders,
        value_micros / nullif(own_order_value_micros, 0) as orders
    from with_targets
),

-- A fractional count is rounded up, so that an error favours the campaign.
final as (
    select
        *,
        case
            when conversions < expected_conversions
                then {{ poisson_at_most('ceil(conversions)', 'expected_conversions') }}
        end as cpa_probability,
        case
            when orders < expected_orders
                then {{ poisson_at_most('greatest(ceil(orders), 0)', 'expected_orders') }}
        end as roas_probability
    from with_expectations
)

select * from final
