with

spend as (
    select * from {{ ref('int_ad_spend') }}
),

final as (
    select
        org_id,
        max(date) as last_spend_date,
    from spend
    where spend_micros <> 0
    group by org_id
)

select * from final
