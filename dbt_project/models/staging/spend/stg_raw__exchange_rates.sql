with

source as (
    select * from {{ source('raw', 'exchange_rates') }}
),

final as (
    select
        date,
        base,
        quote,
        rate
    from source
)

select * from final
