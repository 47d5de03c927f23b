{#- A view, like promises itself: it is asked when publishing, not when it was built. -#}
{{ config(materialized='view') }}

with

conversions as (
    select * from {{ ref('conversions') }}
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

daily_rollups as (
    select * from {{ ref('daily_rollups') }}
),

channel_summary as (
    select * from {{ ref('channel_summary') }}
),

spend as (
    select * from {{ ref('int_ad_spend') }}
),

scenarios as (
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
        cast(count(*) as decimal(38, 0)) as conversions,
        sum(value_micros) as value_micros,
    from conversions
    group by org_id
),

spent as (
    select
        org_id,
        sum(spend_micros) as spend_micros,
        sum(impressions) as impressions,
        sum(clicks) as clicks,
    from spend
    group by org_id
),

in_rollups as (
    select
        org_id,
        grain,
        attribution_model,
        accounting_mode,
        sum(conversions) as conversions,
        sum(conversion_value_micros) as value_micros,
        sum(spend_micros) as spend_micros,
        sum(impressions) as impressions,
        sum(clicks) as clicks,
    from daily_rollups
    group by org_id, grain, attribution_model, accounting_mode
),

in_channels as (
    select
        org_id,
        attribution_model,
        sum(conversions) as conversions,
        sum(conversion_value_micros) as value_micros,
        sum(spend_micros) as spend_micros,
    from channel_summary
    group by org_id, attribution_model
),

slices as (
    select
        orgs.org_id,
        grains.grain,
        scenarios.attribution_model,
        scenarios.accounting_mode,
    from (select org_id from booked union select org_id from spent) as orgs
    cross join grains
    cross join scenarios
),

weight_sums as (
    select
        org_id,
        conversion_id,
        {%- for model in var('attribution_models') %}
        sum({{ model }}_credit) as {{ model }}_credit,
        sum({{ model }}_value_micros) as {{ model }}_value_micros,
        {%- endfor %}
    from conversion_touches
    group by org_id, conversion_id
),

-- What was reported of the conversions that count, and what was given back of them.
reported as (
    select
        all_conversions.org_id,
        sum(all_conversions.value_micros) as value_micros,
    from all_conversions
    inner join conversions using (org_id, conversion_id)
    group by all_conversions.org_id
),

refunded as (
    select
        org_id,
        sum(refunded_micros) as value_micros,
    from refunds
    group by org_id
),

final as (
    select
        'value reported less refunds, in micros' as what,
        reported.org_id,
        null as attribution_model,
        null as accounting_mode,
        null as grain,
        reported.value_micros - coalesce(refunded.value_micros, 0) as expected,
        booked.value_micros as actual,
    from reported
    left join refunded using (org_id)
    left join booked using (org_id)

    union all

    {% for model in var('attribution_models') %}
    select
        'weights of a conversion sum to 1',
        org_id,
        '{{ model }}',
        null,
        null,
        count(*),
        sum(case when {{ model }}_credit = 1000000000000 then 1 else 0 end),
    from weight_sums
    group by org_id

    union all

    select
        'value of a conversion is split without remainder',
        weight_sums.org_id,
        '{{ model }}',
        null,
        null,
        count(*),
        sum(case when weight_sums.{{ model }}_value_micros = conversions.value_micros then 1 else 0 end),
    from weight_sums
    inner join conversions using (org_id, conversion_id)
    group by weight_sums.org_id

    union all
    {% endfor %}
    {%- for what, total, column, source in [
        ('conversions credited and unattributed, in trillionths', 'booked.conversions * 1000000000000', 'in_rollups.conversions * 1000000000000', 'booked'),
        ('value credited and unattributed, in micros', 'booked.value_micros', 'in_rollups.value_micros', 'booked'),
        ('spend in the rollups, in micros', 'spent.spend_micros', 'in_rollups.spend_micros', 'spent'),
        ('impressions in the rollups', 'spent.impressions', 'in_rollups.impressions', 'spent'),
        ('clicks in the rollups', 'spent.clicks', 'in_rollups.clicks', 'spent'),
    ] %}
    select
        '{{ what }}',
        slices.org_id,
        slices.attribution_model,
        slices.accounting_mode,
        slices.grain,
        coalesce({{ total }}, 0),
        coalesce({{ column }}, 0),
    from slices
    left join {{ source }} using (org_id)
    left join in_rollups using (org_id, grain, attribution_model, accounting_mode)

    union all
    {% endfor %}
    {%- for what, total, column, source in [
        ('conversions in the channel summary, in trillionths', 'booked.conversions * 1000000000000', 'in_channels.conversions * 1000000000000', 'booked'),
        ('value in the channel summary, in micros', 'booked.value_micros', 'in_channels.value_micros', 'booked'),
        ('spend in the channel summary, in micros', 'spent.spend_micros', 'in_channels.spend_micros', 'spent'),
    ] %}
    select
        '{{ what }}',
        slices.org_id,
        slices.attribution_model,
        null,
        null,
        coalesce({{ total }}, 0),
        coalesce({{ column }}, 0),
    from slices
    left join {{ source }} using (org_id)
    left join in_channels using (org_id, attribution_model)
    where slices.grain = 'ORGANIZATION' and slices.accounting_mode = 'cash'
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
)

select * from final
