with

spend as (
    select * from {{ ref('int_spend_with_commissions') }}
),

final as (
    select
        org_id,
        date,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        cast(sum(impressions) as bigint) as impressions,
        cast(sum(clicks) as bigint) as clicks,
        cast(sum(spend_micros) as bigint) as spend_micros
    from spend
    group by org_id, date, platform, campaign_id, adset_id, ad_id
)

select * from final
