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

-- A renamed campaign answers to each of its names: links keep the old one.
reported as (
    select
        org_id,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        campaign,
    from spend
    where campaign_id <> '(unmatched)'

    union

    select
        org_id,
        platform,
        case when level = 'campaign' then entity_id else campaign_id end,
        case when level = 'adset' then entity_id else adset_id end,
        case when level = 'ad' then entity_id end,
        case when level = 'campaign' then name end,
    from entities
    where level in ('campaign', 'adset', 'ad')

    union

    select org_id, platform, campaign_id, adset_id, null, campaign from fees
),

unioned as (
    select
        org_id,
        platform,
        'campaign_id' as clue,
        campaign_id as value,
        campaign_id,
        cast(null as varchar) as adset_id,
        cast(null as varchar) as ad_id,
        cast(null as varchar) as channel,
    from reported

    union all

    select org_id, platform, 'adset_id', adset_id, campaign_id, adset_id, null, null from reported

    union all

    select
        org_id,
        platform,
        'ad_id',
        ad_id,
        campaign_id,
        min(adset_id),
        ad_id,
        null,
    from reported
    group by org_id, platform, campaign_id, ad_id

    union all

    select org_id, platform, 'name', {{ name_key('campaign') }}, campaign_id, null, null, null from reported

    union all

    select org_id, platform, 'alias', {{ name_key('name') }}, campaign_id, null, null, null from aliases

    union all

    select
        org_id,
        platform,
        'destination',
        {{ hash_key(['source', 'campaign', 'content']) }},
        campaign_id,
        adset_id,
        ad_id,
        null,
    from destinations

    union all

    -- Its ad is not known by that, but where there is only one.
    select
        org_id,
        platform,
        'destination',
        {{ hash_key(['source', 'campaign', 'cast(null as varchar)']) }},
        campaign_id,
        adset_id,
        ad_id,
        null,
    from destinations
    where content is not null

    union all

    select org_id, platform, 'creator_code', lower(trim(creator_code)), campaign_id, adset_id, null, channel from fees
),

final as (
    select distinct * from unioned
    where value is not null and campaign_id is not null
)

select * from final
