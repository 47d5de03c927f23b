-- campaign_daily, platform_daily and channel_daily are the marts that people sum. A row lost in one of their joins would
-- be a wrong total without any sign of it.
{{ config(meta={
    'description': 'Each day of campaign_daily, platform_daily and channel_daily sums to daily_rollups and conversions, to the micro.',
    'dagster': {'ref': {'name': 'campaign_daily'}},
}) }}

{%- set figures = ['spend', 'impressions', 'clicks', 'conversions', 'conversion_value', 'first_conversions'] -%}
{%- set marts = ['campaign_daily', 'platform_daily', 'channel_daily'] %}

with

daily_rollups as (
    select * from {{ ref('daily_rollups') }}
    where grain = 'ORGANIZATION' and accounting_mode = 'cash'
),

conversions as (
    select * from {{ ref('conversions') }}
),

orgs as (
    select * from {{ ref('orgs') }}
),

main_types as (
    select * from {{ ref('conversion_windows') }}
    where is_main_type and is_main_window
),

expected as (
    select
        daily_rollups.org_id,
        daily_rollups.date,
        {{ in_units('sum(daily_rollups.spend_micros)') }} as spend,
        sum(daily_rollups.impressions) as impressions,
        sum(daily_rollups.clicks) as clicks,
        0 as conversions,
        {{ in_units('sum(daily_rollups.conversion_value_micros)') }} as conversion_value,
        0 as first_conversions
    from daily_rollups
    inner join orgs
        on daily_rollups.org_id = orgs.org_id
        and daily_rollups.attribution_model = orgs.default_attribution_model
    inner join main_types
        on daily_rollups.org_id = main_types.org_id
        and daily_rollups.conversion_type = main_types.conversion_type
        and daily_rollups.lookback_days = main_types.lookback_days
    group by daily_rollups.org_id, daily_rollups.date

    union all

    select
        conversions.org_id,
        conversions.date,
        0 as spend,
        0 as impressions,
        0 as clicks,
        count(*) as conversions,
        0 as conversion_value,
        count(case when is_first_conversion then 1 end) as first_conversions
    from conversions
    inner join main_types
        on conversions.org_id = main_types.org_id
        and conversions.conversion_type = main_types.conversion_type
    group by conversions.org_id, conversions.date
),

differences as (
    {%- for mart in marts %}
    select
        '{{ mart }}' as mart,
        org_id,
        date,
        {%- for figure in figures %}
        {{ figure }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref(mart) }}

    union all

    select
        '{{ mart }}' as mart,
        org_id,
        date,
        {%- for figure in figures %}
        -{{ figure }} as {{ figure }}{{ "," if not loop.last }}
        {%- endfor %}
    from expected
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

final as (
    select
        mart,
        org_id,
        date,
        {%- for figure in figures %}
        sum({{ figure }}) as {{ figure }}{{ "," if not loop.last }}
        {%- endfor %}
    from differences
    group by mart, org_id, date
)

select * from final
where {% for figure in figures %}{{ figure }} <> 0{{ " or " if not loop.last }}{% endfor %}
