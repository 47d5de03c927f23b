with

credit as (
    select * from {{ ref('channel_credit') }}
    where platform not in ('(organic)', '(unattributed)', '(unmatched)') and campaign_id <> '(unmatched)'
),

spend as (
    select * from {{ ref('channel_spend') }}
    where campaign_id <> '(unmatched)'
),

conversion_windows as (
    select * from {{ ref('conversion_windows') }}
    where is_main_type
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

names as (
    {{ campaign_names(ref('campaigns')) }}
),

-- The latest quarter of each org that has spend.
periods as (
    select
        org_id,
        max(date) - {{ var('decision_days') - 1 }} as period_start,
        max(date) as period_end
    from spend
    where spend_micros <> 0
    group by org_id
),

campaign_spend as (
    select
        spend.org_id,
        spend.platform,
        spend.campaign_id,
        periods.period_start,
        periods.period_end,
        sum(spend.spend_micros) as spend_micros
    from spend
    inner join periods
        on spend.org_id = periods.org_id
        and spend.date between periods.period_start and periods.period_end
    group by spend.org_id, spend.platform, spend.campaign_id, periods.period_start, periods.period_end
    having sum(spend.spend_micros) > 0
),

campaign_credit as (
    select
        credit.org_id,
        credit.platform,
        credit.campaign_id,
        credit.conversion_type,
        credit.attribution_model,
        credit.lookback_days,
        sum(credit.conversions) as conversions,
        sum(credit.conversion_value_micros) as value_micros
    from credit
    inner join periods
        on credit.org_id = periods.org_id
        and credit.date between periods.period_start and periods.period_end
    group by
        credit.org_id,
        credit.platform,
        credit.campaign_id,
        credit.conversion_type,
        credit.attribution_model,
        credit.lookback_days
),

-- Every campaign under every model and window. Zero conversions cost infinitely much each.
views as (
    select
        campaign_spend.org_id,
        campaign_spend.platform,
        campaign_spend.campaign_id,
        campaign_spend.period_start,
        campaign_spend.period_end,
        campaign_spend.spend_micros,
        conversion_windows.conversion_type,
        conversion_windows.lookback_days,
        attribution_models.attribution_model,
        conversion_windows.is_main_window and attribution_models.attribution_model = orgs.default_attribution_model as is_own,
        coalesce(cast(campaign_credit.conversions as double), 0) as conversions,
        coalesce(cast(campaign_credit.value_micros as double), 0) as value_micros,
        {{ target_of('cpa_micros') }} as target_cpa_micros,
        {{ target_of('roas') }} as target_roas
    from campaign_spend
    inner join orgs using (org_id)
    inner join conversion_windows using (org_id)
    cross join attribution_models
    left join campaign_credit
        on campaign_spend.org_id = campaign_credit.org_id
        and campaign_spend.platform = campaign_credit.platform
        and campaign_spend.campaign_id = campaign_credit.campaign_id
        and conversion_windows.conversion_type = campaign_credit.conversion_type
        and conversion_windows.lookback_days = campaign_credit.lookback_days
        and attribution_models.attribution_model = campaign_credit.attribution_model
    {{ target_joins('campaign_spend') }}
),

judged as (
    select
        *,
        'cpa' as metric,
        conversions / spend_micros as score,
        target_cpa_micros / 1e6 as target,
        spend_micros / 1e6 / nullif(conversions, 0) as figure,
        conversions * target_cpa_micros >= spend_micros as is_good
    from views
    where target_cpa_micros is not null

    union all

    select
        *,
        'roas' as metric,
        value_micros / spend_micros as score,
        target_roas as target,
        value_micros / spend_micros as figure,
        value_micros >= target_roas * spend_micros as is_good
    from views
    where target_roas is not null
),

-- Ties go to the org's own view, then to the name, so that every run names the same one.
ranked as (
    select
        *,
        row_number() over (
            partition by org_id, platform, campaign_id, metric
            order by score desc, case when is_own then 0 else 1 end, attribution_model, lookback_days
        ) as best_first,
        row_number() over (
            partition by org_id, platform, campaign_id, metric
            order by score, case when is_own then 0 else 1 end, attribution_model, lookback_days
        ) as worst_first
    from judged
),

final as (
    select
        ranked.org_id,
        ranked.platform,
        ranked.campaign_id,
        max(coalesce(names.campaign, ranked.campaign_id)) as campaign,
        ranked.metric,
        ranked.conversion_type,
        ranked.period_start,
        ranked.period_end,
        max(ranked.target) as target,
        bool_or(ranked.is_own and ranked.is_good) as is_good,
        max(case when ranked.is_own then ranked.figure end) as figure,
        max(case when ranked.best_first = 1 then ranked.attribution_model end) as best_model,
        max(case when ranked.best_first = 1 then ranked.lookback_days end) as best_lookback_days,
        max(case when ranked.best_first = 1 then ranked.figure end) as best_figure,
        max(case when ranked.worst_first = 1 then ranked.attribution_model end) as worst_model,
        max(case when ranked.worst_first = 1 then ranked.lookback_days end) as worst_lookback_days,
        max(case when ranked.worst_first = 1 then ranked.figure end) as worst_figure,
        cast(sum(case when ranked.is_good then 1 else 0 end) as bigint) as good_views,
        count(*) as all_views,
        cast(max(ranked.spend_micros) as bigint) as spend_micros
    from ranked
    left join names using (org_id, platform, campaign_id)
    group by
        ranked.org_id,
        ranked.platform,
        ranked.campaign_id,
        ranked.metric,
        ranked.conversion_type,
        ranked.period_start,
        ranked.period_end
    having bool_or(ranked.is_good) and not bool_and(ranked.is_good)
)

select * from final
order by org_id, spend_micros desc, platform, campaign_id, metric
