{%- set slice = ['org_id', 'date', 'conversion_type', 'attribution_model', 'lookback_days', 'accounting_mode'] -%}
{%- set ids = ['platform', 'campaign_id', 'adset_id', 'ad_id'] -%}
with

credit as (
    select * from {{ ref('int_daily_credit') }}
),

waste_flags as (
    select * from {{ ref('int_waste_rated') }}
),

daily_spend as (
    select * from {{ ref('int_daily_spend') }}
),

rollup_spend as (
    select * from {{ ref('rollup_spend') }}
),

-- Waste is judged by the main conversion type.
conversion_windows as (
    select * from {{ ref('conversion_windows') }}
    where is_main_type and is_main_window
),

model_modes as (
    select * from {{ ref('int_model_modes') }}
),

-- A flag's waste is spread over the days of its window by their spend.
flagged_days as (
    {%- for grain, flagged_ids in [
        ('AD', ['campaign_id', 'adset_id', 'ad_id']),
        ('ADSET', ['campaign_id', 'adset_id']),
        ('CAMPAIGN', ['campaign_id']),
    ] %}
    select
        daily_spend.org_id,
        daily_spend.date,
        waste_flags.attribution_model,
        daily_spend.platform,
        daily_spend.campaign_id,
        daily_spend.adset_id,
        daily_spend.ad_id,
        {{ loop.index }} as preference,
        {{ rounded_share('daily_spend.spend_micros', 'waste_flags.waste_spend_micros', 'waste_flags.spend_micros') }} as waste_spend_micros
    from daily_spend
    inner join waste_flags
        on waste_flags.grain = '{{ grain }}'
        and daily_spend.org_id = waste_flags.org_id
        and daily_spend.platform = waste_flags.platform
        {%- for id in flagged_ids %}
        and daily_spend.{{ id }} = waste_flags.{{ id }}
        {%- endfor %}
        and daily_spend.date between waste_flags.period_start and waste_flags.period_end
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

-- An ad's own flag goes before the flags of its ad set and its campaign, so that no money is counted twice.
ranked_days as (
    select
        *,
        row_number() over (
            partition by org_id, date, attribution_model, platform, campaign_id, adset_id, ad_id
            order by preference
        ) as rank
    from flagged_days
),

credit_and_waste as (
    select
        org_id,
        date,
        conversion_type,
        attribution_model,
        lookback_days,
        accounting_mode,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        credit,
        value_micros,
        0 as waste_spend_micros
    from credit

    union all

    select
        ranked_days.org_id,
        ranked_days.date,
        conversion_windows.conversion_type,
        ranked_days.attribution_model,
        conversion_windows.lookback_days,
        model_modes.accounting_mode,
        ranked_days.platform,
        ranked_days.campaign_id,
        ranked_days.adset_id,
        ranked_days.ad_id,
        0 as credit,
        0 as value_micros,
        ranked_days.waste_spend_micros
    from ranked_days
    inner join conversion_windows using (org_id)
    inner join model_modes using (attribution_model)
    where ranked_days.rank = 1 and ranked_days.waste_spend_micros <> 0
),

by_grain as (
    select
        {{ slice | join(',\n        ') }},
        {{ rollup_grain() }} as grain,
        {{ rollup_platform() }} as platform,
        campaign_id,
        adset_id,
        ad_id,
        {{ as_conversions('sum(credit)') }} as conversions,
        cast(sum(value_micros) as bigint) as conversion_value_micros,
        cast(sum(waste_spend_micros) as bigint) as waste_spend_micros
    from (
        select
            *,
            platform = '(unattributed)' as is_unattributed
        from credit_and_waste
    ) as flagged
    group by {{ rollup_grouping_sets(slice) }}
),

final as (
    select
        by_grain.org_id,
        by_grain.date,
        by_grain.grain,
        by_grain.platform,
        by_grain.campaign_id,
        by_grain.adset_id,
        by_grain.ad_id,
        by_grain.conversion_type,
        by_grain.attribution_model,
        by_grain.lookback_days,
        by_grain.accounting_mode,
        by_grain.conversions,
        by_grain.conversion_value_micros,
        by_grain.waste_spend_micros,
        rollup_spend.rollup_id
    from by_grain
    left join rollup_spend
        on by_grain.org_id = rollup_spend.org_id
        and by_grain.date = rollup_spend.date
        and by_grain.grain = rollup_spend.grain
        {%- for id in ids %}
        and by_grain.{{ id }} is not distinct from rollup_spend.{{ id }}
        {%- endfor %}
)

-- Readers ask for one org, grain, model and mode and some days: sorted so, they skip the rest of the file.
select * from final
order by org_id, grain, conversion_type, attribution_model, accounting_mode, lookback_days, date
