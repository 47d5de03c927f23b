{#- A view: nearly all of its rows are those of the staging model. -#}
{{ config(materialized='view') }}
{%- set columns = [
    'org_id', 'platform', 'account_id', 'campaign_id', 'adset_id', 'ad_id', 'date', 'currency', 'campaign', 'adset', 'ad',
] + spend_measures() -%}
{%- set day = ['org_id', 'platform', 'account_id', 'date', 'currency', 'campaign_id'] -%}
with

ad_spend as (
    select * from {{ ref('stg_raw__ad_spend') }}
),

-- Rows of a whole campaign or ad set that do not state whether they are a total.
coarse_rows as (
    select * from ad_spend
    where level is null and ad_id is null
),

-- Filtered first, so that days without such rows cost nothing.
campaign_totals as (
    select distinct
        {%- for column in day %}
        coarse_rows.{{ column }}{{ "," if not loop.last }}
        {%- endfor %}
    from coarse_rows
    inner join ad_spend as finer
        {%- for column in day %}
        {{ "on" if loop.first else "and" }} coarse_rows.{{ column }} = finer.{{ column }}
        {%- endfor %}
    where coarse_rows.adset_id is null
        and coalesce(finer.adset_id, finer.ad_id) is not null
),

adset_totals as (
    select distinct
        {%- for column in day + ['adset_id'] %}
        coarse_rows.{{ column }}{{ "," if not loop.last }}
        {%- endfor %}
    from coarse_rows
    inner join ad_spend as finer
        {%- for column in day + ['adset_id'] %}
        {{ "on" if loop.first else "and" }} coarse_rows.{{ column }} = finer.{{ column }}
        {%- endfor %}
    where finer.ad_id is not null
),

-- A reported total takes precedence: a row with its key is one of its children then.
reported_totals as (
    select
        {{ (day + ['adset_id', 'level']) | join(',\n        ') }}
    from ad_spend
    where level in ('campaign', 'adset')
),

final as (
    select
        level,
        {{ columns | join(',\n        ') }}
    from ad_spend
    where level is not null or ad_id is not null

    union all

    select
        case
            when reported_totals.level is not null then null
            when campaign_totals.org_id is not null then 'campaign'
            when adset_totals.org_id is not null then 'adset'
        end as level,
        {%- for column in columns %}
        coarse_rows.{{ column }}{{ "," if not loop.last }}
        {%- endfor %}
    from coarse_rows
    left join campaign_totals
        on coarse_rows.adset_id is null
        {%- for column in day %}
        and coarse_rows.{{ column }} = campaign_totals.{{ column }}
        {%- endfor %}
    left join adset_totals
        {%- for column in day + ['adset_id'] %}
        {{ "on" if loop.first else "and" }} coarse_rows.{{ column }} = adset_totals.{{ column }}
        {%- endfor %}
    left join reported_totals
        on coalesce(coarse_rows.adset_id, '') = coalesce(reported_totals.adset_id, '')
        {%- for column in day %}
        and coarse_rows.{{ column }} = reported_totals.{{ column }}
        {%- endfor %}
)

select * from final
