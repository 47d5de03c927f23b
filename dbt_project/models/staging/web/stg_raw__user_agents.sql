with

source as (
    select * from {{ source('raw', 'user_agents') }}
),

final as (
    select
        user_agent,
        browser,
        os,
        case when is_bot then 'bot' else device_type end as device_type,
        is_bot
    from source
)

select * from final
