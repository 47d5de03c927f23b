with

source as (
    select * from {{ source('raw', 'entities') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

-- An org that leaves tributary.yaml keeps its raw rows but leaves the models.
final as (
    select
        source.org_id,
        source.entity_type,
        source.entity_id,
        source.valid_from,
        source.properties as attributes
    from source
    inner join orgs using (org_id)
)

select * from final
