with

source as (
    select * from {{ source('raw', 'targets') }}
),

final as (
    select
        org_id,
        platform,
        campaign_id,
        cpa_micros,
        roas
    from source
)

select * from final
