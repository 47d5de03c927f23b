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
        source.level,
        coalesce(source.campaign_id, '(unmatched)') as campaign_id,
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
        source.video_views,
        -- Whole millionths: a sum of floats would depend on the order of its rows.
        cast(source.platform_conversions as decimal(38, 6)) as platform_conversions,
        source.platform_value_micros,
        source._load_id as load_id,
        source._loaded_at as loaded_at
    from source
    inner join orgs using (org_id)
)

select * from final
