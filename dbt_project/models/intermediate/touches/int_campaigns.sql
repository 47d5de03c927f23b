with

spend as (
    select * from {{ ref('int_spend_reports') }}
),

fees as (
    select * from {{ ref('stg_raw__fees') }}
),

-- A commission has its campaign before it has any spend.
named as (
    select org_id, platform, campaign_id, adset_id, ad_id, date, campaign, adset, ad from spend

    union all

    select org_id, platform, campaign_id, adset_id, cast(null as varchar), starts_on, campaign, adset, cast(null as varchar) from fees
    where basis = 'conversion'
),

latest as (
    select
        *,
        row_number() over (
            partition by org_id, platform, campaign_id, adset_id, ad_id
            order by date desc, campaign, adset, ad
        ) as recency,
    from named
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
