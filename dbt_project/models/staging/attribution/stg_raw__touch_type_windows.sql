with

source as (
    select * from {{ source('raw', 'touch_type_windows') }}
),

final as (
    select
        org_id,
        touch_type,
        lookback_days,
        credit_percent
    from source
)

select * from final
