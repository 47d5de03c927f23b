with

source as (
    select * from {{ source('raw', 'sites') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

-- An org that leaves tributary.yaml keeps its raw rows but leaves the models.
final as (
    select
        source.site_id,
        source.org_id,
        source.public_key,
        source.domains,
        coalesce(source.exclude_bots, true) as exclude_bots,
        coalesce(source.exclude_suspicious, false) as exclude_suspicious,
        coalesce(source.count_own_links, false) as count_own_links
    from source
    inner join orgs using (org_id)
)

select * from final
