-- Whatever was received is in the marts once, or set aside with a reason: a row more or less means that a join dropped or
-- doubled it.
{{ config(meta={
    'description': 'Every row received is in the marts once, or set aside with a reason.',
    'dagster': {'ref': {'name': 'promises'}},
}) }}

select * from {{ ref('promises') }}
where promise = 'nothing_lost_or_counted_twice'
    and not coalesce(is_kept, false)
