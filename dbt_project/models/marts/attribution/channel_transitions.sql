with

results as (
    select
        org_id,
        conversion_type,
        {{ unnest('results.transitions') }} as transition
    from {{ ref('int_channel_results') }}
),

final as (
    select
        org_id,
        conversion_type,
        transition.from_channel as from_channel,
        transition.to_channel as to_channel,
        transition.transitions as transitions,
        transition.probability as probability
    from results
)

select * from final
order by org_id, conversion_type, from_channel, to_channel
