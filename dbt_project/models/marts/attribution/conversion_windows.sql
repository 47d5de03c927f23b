with

windows as (
    select * from {{ ref('int_conversion_windows') }}
),

final as (
    select
        org_id,
        conversion_type,
        is_main_type,
        lookback_days,
        is_main_window,
        is_in_rollups
    from windows
)

select * from final
order by org_id, conversion_type, lookback_days
