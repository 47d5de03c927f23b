with

source as (
    select * from {{ source('raw', 'ad_spend') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

source_platforms as (
    select * from {{ ref('source_platforms') }}
),

-- Files call one platform by several names (facebook, fb, meta): one of them joins spend with touches.
final as (
    select
        source.org_id,
        coalesce(source_platforms.platform, source.platform) as platform,
        source.account_id,
        source.campaign_id,
        source.adset_id,
        source.ad_id,
        source.date,
        source.currency,
        source.campaign,
        source.adset,
        source.ad,
        source.spend_micros,
        source.impressions,
        source.clicks,
        source.platform_conversions,
        source.platform_value_micros,
    from source
    inner join orgs using (org_id)
    left join source_platforms on lower(trim(source.platform)) = source_platforms.alias
)

select * from final
