-- Credited and unattributed conversions and value equal the booked ones to the micro, and every unit of spend is in the
-- rollups, for every model, accounting mode and grain: a number that does not is wrong somewhere, so nothing is published.
{{ config(meta={
    'description': 'Every slice of the marts sums to what was booked and spent, to the micro.',
    'dagster': {'ref': {'name': 'promises'}},
}) }}

select * from {{ ref('promises') }}
where promise = 'everything_adds_up'
    and not coalesce(is_kept, false)
