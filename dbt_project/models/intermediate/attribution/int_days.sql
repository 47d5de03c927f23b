{#- A view: a range of days. -#}
{{ config(materialized='view') }}

with

spend as (
    select * from {{ ref('int_daily_spend') }}
),

credit as (
    select * from {{ ref('int_daily_credit') }}
    where is_main_window
),

ends as (
    select
        min(date) as first_date,
        max(date) as last_date
    from (
        select date from spend
        union all
        select date from credit
    ) as dates
),

final as (
    select {{ each_day('first_date', 'last_date') }} as date
    from ends
)

select * from final
