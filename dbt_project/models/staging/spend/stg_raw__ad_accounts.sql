with

source as (
    select * from {{ source('raw', 'ad_accounts') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

final as (
    select
        source.org_id,
        source.platform,
        source.account_id,
        source.name,
        source.currency,
        source.timezone
    from source
    inner join orgs using (org_id)
)

select * from final
