with

web_touches as (
    select * from {{ ref('int_web_touches') }}
),

interactions as (
    select * from {{ ref('stg_raw__interactions') }}
),

final as (
    select
        link_key,
        {{ link_match_key_columns() | join(',\n        ') }},
    from web_touches
    where link_key is not null

    union

    select
        {{ link_key(['creator_code']) }},
        {%- for column in link_match_key_columns() %}
        {{ 'creator_code' if column == 'creator_code' else 'null' }},
        {%- endfor %}
    from interactions
    where creator_code is not null
)

select * from final
