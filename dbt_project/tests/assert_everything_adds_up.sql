-- Credited and unattributed conversions and value equal the booked ones to the micro, and the rollups have every unit of spend,
-- for every model, accounting mode and grain. A difference means a wrong figure, so nothing is published.
{{ config(meta={
    'description': 'Every slice of the marts sums to what was booked and spent, to the micro.',
    'dagster': {'ref': {'name': 'promises'}},
}) }}

select * from {{ ref('promises') }}
where promise = 'everything_adds_up'
    and not coalesce(is_kept, false)
