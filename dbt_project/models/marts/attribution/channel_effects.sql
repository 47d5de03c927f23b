with

effects as (
    select * from {{ ref('int_channel_effects') }}
),

final as (
    select
        org_id,
        conversion_type,
        attribution_model,
        channel,
        effect,
        effect_low,
        effect_high,
        method,
        standard_error,
        markov_order,
        journeys,
        conversions
    from effects
)

select * from final
order by org_id, conversion_type, attribution_model, channel
