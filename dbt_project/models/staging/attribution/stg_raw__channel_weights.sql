with

source as (
    select * from {{ source('raw', 'channel_weights') }}
),

final as (
    select
        org_id,
        attribution_model,
        channel,
        valid_from,
        valid_until,
        weight
    from source
)

select * from final
