with

source as (
    select * from {{ source('raw', 'fees') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

final as (
    select
        source.org_id,
        source.fee_id,
        source.platform,
        source.account_id,
        source.campaign_id,
        source.campaign,
        source.adset_id,
        source.adset,
        source.creator_code,
        source.channel,
        source.basis,
        source.amount_micros,
        source.currency,
        source.starts_on,
        source.ends_on,
        source.conversion_type
    from source
    inner join orgs using (org_id)
)

select * from final
