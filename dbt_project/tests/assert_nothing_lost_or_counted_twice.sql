-- The marts have each received row once, or exclude it with a reason. A row more or less means that a join doubled or dropped it.
{{ config(meta={
    'description': 'The marts have every received row once, or exclude it with a reason.',
    'dagster': {'ref': {'name': 'promises'}},
}) }}

select * from {{ ref('promises') }}
where promise = 'nothing_lost_or_counted_twice'
    and not coalesce(is_kept, false)
