{#- From the finest level up: the residuals of a level count as children of the next. -#}
{%- set day = ['org_id', 'platform', 'account_id', 'date', 'currency'] -%}
{%- set levels = {
    'adset': day + ['campaign_id', 'adset_id'],
    'campaign': day + ['campaign_id'],
    'account': day,
} -%}
with

ad_spend as (
    select * from {{ ref('int_spend_rows') }}
),

{% for level, key in levels.items() -%}
{% set finer_levels = (levels | list)[:loop.index0] -%}
{{ level }}_totals as (
    select * from ad_spend
    where level = '{{ level }}'
),

-- The join leaves only children of a reported total, so that nothing is summed where the platform reports none.
{{ level }}_children as (
    select
        {%- for column in key %}
        children.{{ column }},
        {%- endfor %}
        {%- for measure in spend_measures() %}
        sum(children.{{ measure }}) as {{ measure }}{{ "," if not loop.last }}
        {%- endfor %}
    from (
        select
            {{ (key + spend_measures()) | join(',\n            ') }}
        from ad_spend
        where level is null
        {%- for finer_level in finer_levels %}

        union all

        select
            {{ (key + spend_measures()) | join(',\n            ') }}
        from {{ finer_level }}_residuals
        {%- endfor %}
    ) as children
    inner join {{ level }}_totals as totals
        {%- for column in key %}
        {{ "on" if loop.first else "and" }} children.{{ column }} = totals.{{ column }}
        {%- endfor %}
    group by
        {%- for column in key %}
        children.{{ column }}{{ "," if not loop.last }}
        {%- endfor %}
),

-- A measure that the platform does not report for the total has no residual.
{{ level }}_residuals as (
    select
        '{{ level }}' as level,
        totals.org_id,
        totals.platform,
        totals.account_id,
        totals.date,
        totals.currency,
        totals.campaign_id,
        totals.campaign,
        totals.adset_id,
        totals.adset,
        {%- for measure in spend_measures() %}
        totals.{{ measure }} as reported_{{ measure }},
        coalesce(children.{{ measure }}, 0) as children_{{ measure }},
        coalesce(totals.{{ measure }} - coalesce(children.{{ measure }}, 0), 0) as {{ measure }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ level }}_totals as totals
    left join {{ level }}_children as children using ({{ key | join(', ') }})
),

{% endfor -%}

final as (
    {%- for level in levels %}
    select
        level,
        org_id,
        platform,
        account_id,
        date,
        currency,
        campaign_id,
        campaign,
        adset_id,
        adset,
        {%- for measure in spend_measures() %}
        {%- set type = 'decimal(38, 6)' if measure == 'platform_conversions' else 'bigint' %}
        reported_{{ measure }},
        cast(children_{{ measure }} as {{ type }}) as children_{{ measure }},
        cast({{ measure }} as {{ type }}) as {{ measure }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ level }}_residuals
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
)

select * from final
