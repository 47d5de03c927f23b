with

source as (
    select * from {{ source('raw', 'campaign_aliases') }}
),

final as (
    select distinct
        org_id,
        platform,
        name,
        campaign_id
    from source
)

select * from final
