{#- A placeholder that the platform replaces at each click: {campaignid}, {{ '{{campaign.id}}' }}, __CAMPAIGN_ID__. -#}
{%- set placeholder = "'[{}]|__[A-Z_]+__'" -%}
with

entities as (
    select * from {{ ref('stg_raw__ad_entities') }}
),

urls as (
    select * from {{ ref('int_urls') }}
),

-- A creative leads to one address for each ad that shows it. Former addresses count, because old links keep them.
addresses as (
    select
        org_id,
        platform,
        case when level = 'campaign' then entity_id else campaign_id end as campaign_id,
        case when level = 'adset' then entity_id else adset_id end as adset_id,
        case when level = 'ad' then entity_id end as ad_id,
        destination_url
    from entities
    where level in ('campaign', 'adset', 'ad') and destination_url is not null

    union all

    select
        ads.org_id,
        ads.platform,
        ads.campaign_id,
        ads.adset_id,
        ads.entity_id as ad_id,
        creatives.destination_url
    from entities as creatives
    inner join entities as ads using (org_id, platform, account_id)
    where creatives.level = 'creative'
        and ads.level = 'ad'
        and ads.creative_id = creatives.entity_id
        and creatives.destination_url is not null
),

final as (
    select distinct
        addresses.org_id,
        addresses.platform,
        addresses.campaign_id,
        addresses.adset_id,
        addresses.ad_id,
        case when not {{ regex_matches('lower(urls.utm_source)', placeholder) }} then lower(urls.utm_source) end as source,
        case when not {{ regex_matches('lower(urls.utm_campaign)', placeholder) }} then lower(urls.utm_campaign) end as campaign,
        case when not {{ regex_matches('urls.utm_content', placeholder) }} then urls.utm_content end as content
    from addresses
    inner join urls on addresses.destination_url = urls.page_url
    where addresses.campaign_id is not null
)

select * from final
where campaign is not null
