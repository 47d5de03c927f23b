with

channel_weights as (
    select * from {{ ref('int_channel_weights') }}
),

final as (
    select
        org_id,
        conversion_type,
        attribution_model,
        channel,
        valid_from,
        valid_until,
        weight
    from channel_weights
)

select * from final
order by org_id, conversion_type, attribution_model, channel
