with

spend as (
    select * from {{ ref('int_spend_with_commissions') }}
),

credit as (
    select * from {{ ref('int_daily_credit') }}
    where accounting_mode = 'cash'
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

daily_spend as (
    select
        spend.org_id,
        spend.date,
        spend.platform,
        spend.campaign_id,
        spend.adset_id,
        spend.ad_id,
        windows.window_days,
        windows.period_start,
        windows.period_end,
        cast(sum(spend.spend_micros) as bigint) as spend_micros
    from spend
    inner join windows
        on spend.org_id = windows.org_id
        and spend.date between windows.period_start and windows.period_end
    group by
        spend.org_id,
        spend.date,
        spend.platform,
        spend.campaign_id,
        spend.adset_id,
        spend.ad_id,
        windows.window_days,
        windows.period_start,
        windows.period_end
),

-- Spend is the same under every model.
performance as (
    select
        daily_spend.org_id,
        daily_spend.date,
        daily_spend.platform,
        daily_spend.campaign_id,
        daily_spend.adset_id,
        daily_spend.ad_id,
        daily_spend.window_days,
        daily_spend.period_start,
        daily_spend.period_end,
        attribution_models.attribution_model,
        daily_spend.spend_micros,
        cast(0 as bigint) as credit,
        cast(0 as bigint) as value_micros
    from daily_spend
    cross join attribution_models

    union all

    select
        credit.org_id,
        credit.date,
        credit.platform,
        credit.campaign_id,
        credit.adset_id,
        credit.ad_id,
        windows.window_days,
        windows.period_start,
        windows.period_end,
        credit.attribution_model,
        cast(0 as bigint) as spend_micros,
        credit.credit,
        credit.value_micros
    from credit
    inner join windows
        on credit.org_id = windows.org_id
        and credit.date between windows.period_start and windows.period_end
),

-- Where nobody set a target, the org's own cost per conversion is the yardstick.
own_cpa as (
    select
        org_id,
        window_days,
        attribution_model,
        sum(spend_micros) / nullif(sum(case when platform not in ('(organic)', '(unattributed)') then credit else 0 end) / 1e12, 0)
            as own_cpa_micros,
        sum(value_micros) / nullif(sum(credit) / 1e12, 0) as own_order_value_micros
    from performance
    group by org_id, window_days, attribution_model
),

entities as (
    select
        case
            when grouping(adset_id) = 1 then 'CAMPAIGN'
            when grouping(ad_id) = 1 then 'ADSET'
            else 'AD'
        end as grain,
        org_id,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        window_days,
        period_start,
        period_end,
        attribution_model,
        sum(spend_micros) as spend_micros,
        sum(credit) / 1e12 as conversions,
        sum(value_micros) as value_micros,
        count(distinct case when spend_micros > 0 then date end) as days_with_spend
    from performance
    group by grouping sets (
        (org_id, window_days, period_start, period_end, attribution_model, platform, campaign_id),
        (org_id, window_days, period_start, period_end, attribution_model, platform, campaign_id, adset_id),
        (org_id, window_days, period_start, period_end, attribution_model, platform, campaign_id, adset_id, ad_id)
    )
    having sum(spend_micros) > 0
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
        own_cpa.own_order_value_micros,
        coalesce(campaign_targets.cpa_micros, platform_targets.cpa_micros, orgs.target_cpa_micros, own_cpa.own_cpa_micros)
            as target_cpa_micros,
        coalesce(campaign_targets.roas, platform_targets.roas, orgs.target_roas) as target_roas,
        case
            when campaign_targets.cpa_micros is not null then 'campaign'
            when platform_targets.cpa_micros is not null then 'platform'
            when orgs.target_cpa_micros is not null then 'org'
            else 'own'
        end as target_cpa_source
    from entities
    inner join orgs using (org_id)
    left join own_cpa using (org_id, window_days, attribution_model)
    left join targets as campaign_targets
        on entities.org_id = campaign_targets.org_id
        and entities.platform = campaign_targets.platform
        and entities.campaign_id = campaign_targets.campaign_id
    left join targets as platform_targets
        on entities.org_id = platform_targets.org_id
        and entities.platform = platform_targets.platform
        and platform_targets.campaign_id is null
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
