-- Nobody can check a credit without its touch or a flag without evidence and advice, so nothing is published.
{{ config(meta={
    'description': 'Every credit has its touch, every waste flag its evidence and advice.',
    'dagster': {'ref': {'name': 'promises'}},
}) }}

select * from {{ ref('promises') }}
where promise = 'everything_explains_itself'
    and not coalesce(is_kept, false)
