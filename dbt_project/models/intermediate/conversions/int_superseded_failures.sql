{#- A view: only int_uncounted_refunds reads it. -#}
{{ config(materialized='view') }}

with

conversions as (
    select * from {{ ref('stg_raw__conversions') }}
    where payment_ids is not null and order_id is not null and value_micros > 0
),

order_keys as (
    select * from {{ ref('int_order_keys') }}
    where order_key is not null
),

failures as (
    select * from {{ ref('int_payment_refunds') }}
    where reason = 'payment_failed' and order_key is not null
),

failed_payments as (
    select * from {{ ref('int_failed_payments') }}
),

paid_orders as (
    select distinct
        conversions.org_id,
        order_keys.order_key
    from conversions
    inner join order_keys
        on {{ named_order('conversions') }}
    left join failed_payments
        on conversions.org_id = failed_payments.org_id
        and conversions.conversion_id = failed_payments.conversion_id
    where failed_payments.conversion_id is null
),

final as (
    select
        failures.org_id,
        failures.refund_id
    from failures
    inner join paid_orders using (org_id, order_key)
)

select * from final
