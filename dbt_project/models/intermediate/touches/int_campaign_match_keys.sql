{%- set text = dbt.type_string() -%}
{#- The type and the expression of each match key, its relation, and the columns that it gives beside the campaign. A link
    without the content identifies its campaign, and its ad only where a single ad leads there. -#}
{%- set match_keys = [
    ('campaign_id', 'campaign_id', 'reported', []),
    ('adset_id', 'adset_id', 'reported', ['adset_id']),
    ('ad_id', 'ad_id', 'ads', ['adset_id', 'ad_id']),
    ('name', name_key('campaign'), 'reported', []),
    ('alias', name_key('name'), 'aliases', []),
    ('destination', hash_key(['source', 'campaign', 'content']), 'destinations', ['adset_id', 'ad_id']),
    ('destination', hash_key(['source', 'campaign', 'cast(null as ' ~ text ~ ')']), 'destinations', ['adset_id', 'ad_id']),
    ('creator_code', 'lower(trim(creator_code))', 'fees', ['adset_id', 'channel']),
] -%}
with

spend as (
    select * from {{ ref('int_spend_reports') }}
),

entities as (
    select * from {{ ref('stg_raw__ad_entities') }}
),

destinations as (
    select * from {{ ref('int_ad_destinations') }}
),

aliases as (
    select * from {{ ref('stg_raw__campaign_aliases') }}
),

fees as (
    select * from {{ ref('stg_raw__fees') }}
),

-- A renamed campaign keeps a match key for each of its names, because old links keep the old name.
reported as (
    select
        org_id,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        campaign
    from spend
    where campaign_id <> '(unmatched)'

    union

    select
        org_id,
        platform,
        case when level = 'campaign' then entity_id else campaign_id end as campaign_id,
        case when level = 'adset' then entity_id else adset_id end as adset_id,
        case when level = 'ad' then entity_id end as ad_id,
        case when level = 'campaign' then name end as campaign
    from entities
    where level in ('campaign', 'adset', 'ad')

    union

    select
        org_id,
        platform,
        campaign_id,
        adset_id,
        cast(null as {{ text }}) as ad_id,
        campaign
    from fees
),

ads as (
    select
        org_id,
        platform,
        campaign_id,
        min(adset_id) as adset_id,
        ad_id
    from reported
    group by org_id, platform, campaign_id, ad_id
),

unioned as (
    {%- for type, key, relation, columns in match_keys %}
    select
        org_id,
        platform,
        '{{ type }}' as match_key_type,
        {{ key }} as match_key,
        campaign_id,
        {%- for column in ['adset_id', 'ad_id', 'channel'] %}
        {{ column if column in columns else 'cast(null as ' ~ text ~ ')' }} as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
),

final as (
    select distinct * from unioned
    where match_key is not null and campaign_id is not null
)

select * from final
