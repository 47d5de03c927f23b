with

journeys as (
    select * from {{ ref('int_journeys') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

final as (
    select
        journeys.org_id,
        journeys.conversion_type,
        {{ channel_effects('journeys.journey_id', 'min(orgs.path_transform)') }} as results
    from journeys
    inner join orgs using (org_id)
    group by journeys.org_id, journeys.conversion_type
)

select * from final
