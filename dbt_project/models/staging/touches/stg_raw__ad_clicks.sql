with

source as (
    select * from {{ source('raw', 'ad_clicks') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

final as (
    select
        source.org_id,
        source.platform,
        source.account_id,
        source.click_id,
        source.date,
        source.campaign_id,
        source.adset_id,
        source.ad_id
    from source
    inner join orgs using (org_id)
)

select * from final
