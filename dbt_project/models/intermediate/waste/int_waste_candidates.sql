with

performance as (
    select * from {{ ref('int_daily_performance') }}
    where accounting_mode = 'cash'
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

targets as (
    select * from {{ ref('stg_raw__targets') }}
),

windows as (
    {%- for days in var('waste_window_days') %}
    select {{ days }} as window_days
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

-- Windows end where the org's spend ends, not today: the same data give the same flags on any day.
spend_periods as (
    select * from {{ ref('int_spend_periods') }}
),

in_window as (
    select
        performance.*,
        windows.window_days,
        spend_periods.last_spend_date - (windows.window_days - 1) as period_start,
        spend_periods.last_spend_date as period_end,
    from performance
    inner join spend_periods using (org_id)
    inner join windows
        on performance.date > spend_periods.last_spend_date - windows.window_days
        and performance.date <= spend_periods.last_spend_date
),

-- What the org itself pays for a conversion, the yardstick where nobody set a target.
own_cpa as (
    select
        org_id,
        window_days,
        attribution_model,
        sum(spend_micros) / nullif(sum(case when platform not in ('(organic)', '(unattributed)') then credit else 0 end) / 1e12, 0)
            as own_cpa_micros,
        sum(value_micros) / nullif(sum(credit) / 1e12, 0) as own_order_value_micros,
    from in_window
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
        count(distinct case when spend_micros > 0 then date end) as days_with_spend,
    from in_window
    group by grouping sets (
        (org_id, window_days, period_start, period_end, attribution_model, platform, campaign_id),
        (org_id, window_days, period_start, period_end, attribution_model, platform, campaign_id, adset_id),
        (org_id, window_days, period_start, period_end, attribution_model, platform, campaign_id, adset_id, ad_id)
    )
    having sum(spend_micros) > 0
),

with_targets as (
    select
        entities.*,
        own_cpa.own_order_value_micros,
        coalesce(campaign_targets.cpa_micros, platform_targets.cpa_micros, orgs.target_cpa_micros, own_cpa.own_cpa_micros)
            as target_cpa_micros,
        coalesce(campaign_targets.roas, platform_targets.roas, orgs.target_roas) as target_roas,
        case
            when campaign_targets.cpa_micros is not null then 'campaign'
            when platform_targets.cpa_micros is not null then 'platform'
            when orgs.target_cpa_micros is not null then 'org'
            else 'own'
        end as target_cpa_source,
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
    -- What no campaign, ad set or ad answers for cannot be paused.
    where entities.campaign_id <> '(unmatched)'
        and coalesce(entities.adset_id, '') <> '(unmatched)'
        and coalesce(entities.ad_id, '') <> '(unmatched)'
),

expected as (
    select
        *,
        spend_micros / nullif(target_cpa_micros, 0) as expected_conversions,
        spend_micros * target_roas / nullif(own_order_value_micros, 0) as expected_orders,
        value_micros / nullif(own_order_value_micros, 0) as orders,
    from with_targets
),

-- A fractional count is rounded up, which errs on the campaign's side.
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
        end as roas_probability,
    from expected
)

select * from final
