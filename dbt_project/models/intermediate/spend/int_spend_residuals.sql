{#- From the finest level up: each one's residuals are part of what is beneath the next. -#}
{%- set day = ['org_id', 'platform', 'account_id', 'date', 'currency'] -%}
{%- set levels = {
    'adset': day + ['campaign_id', 'adset_id'],
    'campaign': day + ['campaign_id'],
    'account': day,
} -%}
with

ad_spend as (
    select * from {{ ref('stg_raw__ad_spend') }}
),

{% for level, key in levels.items() -%}
{% set finer_levels = (levels | list)[:loop.index0] -%}
{{ level }}_stated as (
    select * from ad_spend
    where level = '{{ level }}'
),

-- Only what has a stated total above it: where no platform states any, nothing is summed.
{{ level }}_beneath as (
    select
        {{ key | join(', ') }},
        {%- for measure in spend_measures() %}
        sum(parts.{{ measure }}) as {{ measure }},
        {%- endfor %}
    from (
        select {{ key | join(', ') }}, {{ spend_measures() | join(', ') }} from ad_spend where level is null
        {%- for finer in finer_levels %}
        union all
        select {{ key | join(', ') }}, {{ spend_measures() | join(', ') }} from {{ finer }}_residuals
        {%- endfor %}
    ) as parts
    inner join (select {{ key | join(', ') }} from {{ level }}_stated) as stated using ({{ key | join(', ') }})
    group by {{ key | join(', ') }}
),

-- A measure that the platform does not state for the total has none.
{{ level }}_residuals as (
    select
        '{{ level }}' as level,
        stated.org_id,
        stated.platform,
        stated.account_id,
        stated.date,
        stated.currency,
        stated.campaign_id,
        stated.campaign,
        stated.adset_id,
        stated.adset,
        {%- for measure in spend_measures() %}
        stated.{{ measure }} as stated_{{ measure }},
        coalesce(beneath.{{ measure }}, 0) as {{ measure }}_beneath,
        coalesce(stated.{{ measure }} - coalesce(beneath.{{ measure }}, 0), 0) as {{ measure }},
        {%- endfor %}
    from {{ level }}_stated as stated
    left join {{ level }}_beneath as beneath using ({{ key | join(', ') }})
),

{% endfor -%}

unioned as (
    {%- for level in levels %}
    select * from {{ level }}_residuals
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

final as (
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
        stated_{{ measure }},
        cast({{ measure }}_beneath as {{ type }}) as {{ measure }}_beneath,
        cast({{ measure }} as {{ type }}) as {{ measure }},
        {%- endfor %}
    from unioned
)

select * from final
