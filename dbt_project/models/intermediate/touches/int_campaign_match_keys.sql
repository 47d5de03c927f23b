{%- set text = dbt.type_string() -%}
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

unioned as (
    select
        org_id,
        platform,
        'campaign_id' as match_key_type,
        campaign_id as match_key,
        campaign_id,
        cast(null as {{ text }}) as adset_id,
        cast(null as {{ text }}) as ad_id,
        cast(null as {{ text }}) as channel
    from reported

    union all

    select
        org_id,
        platform,
        'adset_id' as match_key_type,
        adset_id as match_key,
        campaign_id,
        adset_id,
        cast(null as {{ text }}) as ad_id,
        cast(null as {{ text }}) as channel
    from reported

    union all

    select
        org_id,
        platform,
        'ad_id' as match_key_type,
        ad_id as match_key,
        campaign_id,
        min(adset_id) as adset_id,
        ad_id,
        cast(null as {{ text }}) as channel
    from reported
    group by org_id, platform, campaign_id, ad_id

    union all

    select
        org_id,
        platform,
        'name' as match_key_type,
        {{ name_key('campaign') }} as match_key,
        campaign_id,
        cast(null as {{ text }}) as adset_id,
        cast(null as {{ text }}) as ad_id,
        cast(null as {{ text }}) as channel
    from reported

    union all

    select
        org_id,
        platform,
        'alias' as match_key_type,
        {{ name_key('name') }} as match_key,
        campaign_id,
        cast(null as {{ text }}) as adset_id,
        cast(null as {{ text }}) as ad_id,
        cast(null as {{ text }}) as channel
    from aliases

    union all

    select
        org_id,
        platform,
        'destination' as match_key_type,
        {{ hash_key(['source', 'campaign', 'content']) }} as match_key,
        campaign_id,
        adset_id,
        ad_id,
        cast(null as {{ text }}) as channel
    from destinations

    union all

    -- Without the content a link identifies its campaign, and its ad only where a single ad leads there.
    select
        org_id,
        platform,
        'destination' as match_key_type,
        {{ hash_key(['source', 'campaign', 'cast(null as ' ~ text ~ ')']) }} as match_key,
        campaign_id,
        adset_id,
        ad_id,
        cast(null as {{ text }}) as channel
    from destinations
    where content is not null

    union all

    select
        org_id,
        platform,
        'creator_code' as match_key_type,
        lower(trim(creator_code)) as match_key,
        campaign_id,
        adset_id,
        cast(null as {{ text }}) as ad_id,
        channel
    from fees
),

final as (
    select distinct * from unioned
    where match_key is not null and campaign_id is not null
)

select * from final
