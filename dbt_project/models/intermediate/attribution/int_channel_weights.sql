with

definitions as (
    select * from {{ ref('stg_raw__conversion_definitions') }}
),

given_weights as (
    select * from {{ ref('stg_raw__channel_weights') }}
),

effects as (
    select * from {{ ref('int_channel_effects') }}
),

-- A channel cannot take credit from others: an effect below zero counts as none.
final as (
    select
        definitions.org_id,
        definitions.conversion_type,
        given_weights.attribution_model,
        given_weights.channel,
        given_weights.valid_from,
        given_weights.valid_until,
        cast(round(given_weights.weight * 1e6) as bigint) as weight
    from given_weights
    inner join definitions
        on definitions.org_id = given_weights.org_id
        or given_weights.org_id is null

    union all

    select
        org_id,
        conversion_type,
        attribution_model,
        channel,
        cast(null as date) as valid_from,
        cast(null as date) as valid_until,
        cast(round(greatest(effect, 0) * 1e12) as bigint) as weight
    from effects
)

select * from final
