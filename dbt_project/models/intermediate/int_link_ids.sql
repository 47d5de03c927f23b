with

web_touches as (
    select * from {{ ref('int_web_touches') }}
),

final as (
    select distinct
        link_key,
        {{ link_id_columns() | join(',\n        ') }},
    from web_touches
    where link_key is not null
)

select * from final
