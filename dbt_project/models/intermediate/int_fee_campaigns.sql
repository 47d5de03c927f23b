with

fees as (
    select * from {{ ref('stg_raw__fees') }}
),

final as (
    select distinct
        org_id,
        platform,
        campaign_id,
        campaign,
        creator_code,
    from fees
)

select * from final
