with

spend as (
    select * from {{ ref('int_spend_reports') }}
),

latest as (
    select
        *,
        row_number() over (
            partition by org_id, platform, campaign_id, adset_id, ad_id
            order by date desc, campaign, adset, ad
        ) as recency,
    from spend
),

final as (
    select
        org_id,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        campaign,
        adset,
        ad,
    from latest
    where recency = 1
)

select * from final
