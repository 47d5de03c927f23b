with

source as (
    select * from {{ source('raw', 'addresses') }}
),

-- Two collectors can look up the same address, one of them with a newer geo database.
final as (
    select
        ip_hash,
        max(country) as country,
        max(region) as region,
        max(is_data_centre) as is_data_centre
    from source
    group by ip_hash
)

select * from final
