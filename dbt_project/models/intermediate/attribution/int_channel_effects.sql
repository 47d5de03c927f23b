{#- A view: rows of a stored list. -#}
{{ config(materialized='view') }}

with

results as (
    select
        org_id,
        conversion_type,
        {{ unnest('results.effects') }} as effect
    from {{ ref('int_channel_results') }}
),

final as (
    select
        org_id,
        conversion_type,
        effect.attribution_model as attribution_model,
        effect.channel as channel,
        effect.effect as effect,
        effect.effect_low as effect_low,
        effect.effect_high as effect_high,
        effect.method as method,
        effect.standard_error as standard_error,
        effect.markov_order as markov_order,
        effect.journeys as journeys,
        effect.conversions as conversions
    from results
)

select * from final
