with

source as (
    select * from {{ source('raw', 'user_agents') }}
),

final as (
    select
        user_agent,
        browser,
        os,
        device_type,
        is_bot,
    from source
)

select * from final
