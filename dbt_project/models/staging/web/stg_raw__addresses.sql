with

source as (
    select * from {{ source('raw', 'addresses') }}
),

-- Two collectors may look the same address up, one of them in a newer file.
final as (
    select
        ip_hash,
        max(country) as country,
        max(region) as region,
        max(is_data_centre) as is_data_centre,
    from source
    group by ip_hash
)

select * from final
