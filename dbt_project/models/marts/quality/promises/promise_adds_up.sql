{#- Ephemeral: a part of the mart `promises`, which publishing reads. -#}
{{ config(materialized='ephemeral') }}
{%- set text = dbt.type_string() %}

with

conversions as (
    select * from {{ ref('conversions') }}
),

counted_conversions as (
    select * from {{ ref('int_counted_conversions') }}
),

conversion_windows as (
    select * from {{ ref('conversion_windows') }}
),

all_conversions as (
    select * from {{ ref('int_conversions') }}
),

refunds as (
    select * from {{ ref('int_refunds') }}
),

conversion_touches as (
    select * from {{ ref('conversion_touches') }}
),

rollup_spend as (
    select * from {{ ref('rollup_spend') }}
),

rollup_credit as (
    select * from {{ ref('rollup_credit') }}
),

channel_summary as (
    select * from {{ ref('channel_summary') }}
),

spend as (
    select * from {{ ref('int_spend_with_commissions') }}
),

model_modes as (
    select * from {{ ref('int_model_modes') }}
),

grains as (
    {%- for grain in ['ORGANIZATION', 'PLATFORM', 'CAMPAIGN', 'ADSET', 'AD'] %}
    select '{{ grain }}' as grain
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

booked as (
    select
        org_id,
        conversion_type,
        cast(count(*) as decimal(38, 0)) as conversions,
        sum(value_micros) as value_micros
    from conversions
    group by org_id, conversion_type
),

counted as (
    select
        org_id,
        sum(value_micros) as value_micros
    from counted_conversions
    group by org_id
),

spent as (
    select
        org_id,
        sum(spend_micros) as spend_micros,
        sum(impressions) as impressions,
        sum(clicks) as clicks
    from spend
    group by org_id
),

-- daily_rollups shows the spend of a grain once for each model and mode.
spend_by_grain as (
    select
        org_id,
        grain,
        sum(spend_micros) as spend_micros,
        sum(impressions) as impressions,
        sum(clicks) as clicks
    from rollup_spend
    group by org_id, grain
),

-- daily_rollups shows credit beside its row of spend, and credit without such a row on its own. Credit that refers to
-- another row, or to none although there is one, does not count.
credit_by_slice as (
    select
        rollup_credit.org_id,
        rollup_credit.grain,
        rollup_credit.conversion_type,
        rollup_credit.lookback_days,
        rollup_credit.attribution_model,
        rollup_credit.accounting_mode,
        sum(
            case when rollup_credit.rollup_id is not distinct from rollup_spend.rollup_id then rollup_credit.conversions else 0 end
        ) as conversions,
        sum(
            case when rollup_credit.rollup_id is not distinct from rollup_spend.rollup_id then rollup_credit.conversion_value_micros else 0 end
        ) as value_micros
    from rollup_credit
    left join rollup_spend
        on rollup_credit.org_id = rollup_spend.org_id
        and rollup_credit.date = rollup_spend.date
        and rollup_credit.grain = rollup_spend.grain
        and rollup_credit.platform is not distinct from rollup_spend.platform
        and rollup_credit.campaign_id is not distinct from rollup_spend.campaign_id
        and rollup_credit.adset_id is not distinct from rollup_spend.adset_id
        and rollup_credit.ad_id is not distinct from rollup_spend.ad_id
    group by
        rollup_credit.org_id,
        rollup_credit.grain,
        rollup_credit.conversion_type,
        rollup_credit.lookback_days,
        rollup_credit.attribution_model,
        rollup_credit.accounting_mode
),

in_channels as (
    select
        org_id,
        conversion_type,
        attribution_model,
        lookback_days,
        sum(conversions) as conversions,
        sum(conversion_value_micros) as value_micros,
        sum(spend_micros) as spend_micros
    from channel_summary
    group by org_id, conversion_type, attribution_model, lookback_days
),

slices as (
    select
        conversion_windows.org_id,
        conversion_windows.conversion_type,
        conversion_windows.lookback_days,
        conversion_windows.is_in_rollups,
        grains.grain,
        model_modes.attribution_model,
        model_modes.accounting_mode
    from (select org_id from booked union select org_id from spent) as orgs
    inner join conversion_windows using (org_id)
    cross join grains
    cross join model_modes
),

weight_sums as (
    select
        org_id,
        conversion_id,
        conversion_type,
        lookback_days,
        {%- for model in var('attribution_models') %}
        sum({{ model }}_credit) as {{ model }}_credit,
        sum({{ model }}_value_micros) as {{ model }}_value_micros{{ "," if not loop.last }}
        {%- endfor %}
    from conversion_touches
    group by org_id, conversion_id, conversion_type, lookback_days
),

-- The reported value of the conversions that count, and the refunds of them.
reported as (
    select
        all_conversions.org_id,
        sum(all_conversions.value_micros) as value_micros
    from all_conversions
    inner join counted_conversions
        on all_conversions.org_id = counted_conversions.org_id
        and all_conversions.counted_as_conversion_id = counted_conversions.conversion_id
    where all_conversions.gives_value and all_conversions.exclusion_reason is null and not all_conversions.is_refund
    group by all_conversions.org_id
),

refunded as (
    select
        org_id,
        sum(refunded_micros) as value_micros
    from refunds
    group by org_id
),

final as (
    select
        'value_less_refunds' as check_name,
        reported.org_id,
        cast(null as {{ text }}) as conversion_type,
        cast(null as {{ text }}) as attribution_model,
        cast(null as integer) as lookback_days,
        cast(null as {{ text }}) as accounting_mode,
        cast(null as {{ text }}) as grain,
        reported.value_micros - coalesce(refunded.value_micros, 0) as expected,
        counted.value_micros as actual
    from reported
    left join refunded using (org_id)
    left join counted using (org_id)

    union all

    {% for model in var('attribution_models') %}
    select
        'weights_sum_to_one' as check_name,
        org_id,
        conversion_type,
        '{{ model }}' as attribution_model,
        lookback_days,
        cast(null as {{ text }}) as accounting_mode,
        cast(null as {{ text }}) as grain,
        count(*) as expected,
        sum(case when {{ model }}_credit = 1000000000000 then 1 else 0 end) as actual
    from weight_sums
    group by org_id, conversion_type, lookback_days

    union all

    select
        'value_is_split' as check_name,
        weight_sums.org_id,
        weight_sums.conversion_type,
        '{{ model }}' as attribution_model,
        weight_sums.lookback_days,
        cast(null as {{ text }}) as accounting_mode,
        cast(null as {{ text }}) as grain,
        count(*) as expected,
        sum(case when weight_sums.{{ model }}_value_micros = conversions.value_micros then 1 else 0 end) as actual
    from weight_sums
    inner join conversions using (org_id, conversion_id)
    group by weight_sums.org_id, weight_sums.conversion_type, weight_sums.lookback_days

    union all
    {% endfor %}
    {%- for check_name, total, source, found in [
        ('conversions_in_rollups', 'booked.conversions * 1000000000000', 'booked', 'credit_by_slice.conversions * 1000000000000'),
        ('value_in_rollups', 'booked.value_micros', 'booked', 'credit_by_slice.value_micros'),
        ('spend_in_rollups', 'spent.spend_micros', 'spent', 'spend_by_grain.spend_micros'),
        ('impressions_in_rollups', 'spent.impressions', 'spent', 'spend_by_grain.impressions'),
        ('clicks_in_rollups', 'spent.clicks', 'spent', 'spend_by_grain.clicks'),
    ] %}
    select
        '{{ check_name }}' as check_name,
        slices.org_id,
        slices.conversion_type,
        slices.attribution_model,
        slices.lookback_days,
        slices.accounting_mode,
        slices.grain,
        coalesce({{ total }}, 0) as expected,
        coalesce({{ found }}, 0) as actual
    from slices
    left join {{ source }} using (org_id{{ ", conversion_type" if source == "booked" }})
    left join spend_by_grain using (org_id, grain)
    left join credit_by_slice
        using (org_id, grain, conversion_type, lookback_days, attribution_model, accounting_mode)
    where slices.is_in_rollups

    union all
    {% endfor %}
    {%- for check_name, total, source, found in [
        ('conversions_in_channels', 'booked.conversions * 1000000000000', 'booked', 'in_channels.conversions * 1000000000000'),
        ('value_in_channels', 'booked.value_micros', 'booked', 'in_channels.value_micros'),
        ('spend_in_channels', 'spent.spend_micros', 'spent', 'in_channels.spend_micros'),
    ] %}
    select
        '{{ check_name }}' as check_name,
        slices.org_id,
        slices.conversion_type,
        slices.attribution_model,
        slices.lookback_days,
        cast(null as {{ text }}) as accounting_mode,
        cast(null as {{ text }}) as grain,
        coalesce({{ total }}, 0) as expected,
        coalesce({{ found }}, 0) as actual
    from slices
    left join {{ source }} using (org_id{{ ", conversion_type" if source == "booked" }})
    left join in_channels using (org_id, conversion_type, attribution_model, lookback_days)
    where slices.grain = 'ORGANIZATION' and slices.accounting_mode = 'cash'
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
)

select * from final
