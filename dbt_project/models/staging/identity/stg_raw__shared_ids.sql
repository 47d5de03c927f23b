with

source as (
    select * from {{ source('raw', 'shared_ids') }}
),

final as (
    select distinct
        org_id,
        id
    from source
)

select * from final
