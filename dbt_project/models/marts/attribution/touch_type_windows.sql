with

touch_type_windows as (
    select * from {{ ref('stg_raw__touch_type_windows') }}
),

final as (
    select
        org_id,
        touch_type,
        lookback_days,
        credit_percent
    from touch_type_windows
)

select * from final
order by org_id, touch_type
