{#- A view: a filter on a stored table. -#}
{{ config(materialized='view') }}

with

credit as (
    select * from {{ ref('int_daily_credit') }}
    where accounting_mode = 'cash' and is_main_window
),

definitions as (
    select * from {{ ref('stg_raw__conversion_definitions') }}
    where number = 1
),

final as (
    select
        credit.org_id,
        credit.date,
        credit.attribution_model,
        credit.channel,
        credit.platform,
        credit.campaign_id,
        credit.adset_id,
        credit.ad_id,
        credit.credit,
        credit.first_credit,
        credit.value_micros
    from credit
    inner join definitions using (org_id, conversion_type)
)

select * from final
