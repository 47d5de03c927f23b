with

source as (
    select * from {{ source('raw', 'ad_spend') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

final as (
    select
        source.org_id,
        source.platform,
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
)

select * from final
