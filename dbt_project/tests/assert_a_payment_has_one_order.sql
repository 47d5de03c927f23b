-- Two orders that share a payment would count its money twice. Subscriptions are no payments.
{{ config(tags=['suite']) }}

with

order_payments as (
    select * from {{ ref('int_order_payments') }}
    where not is_subscription
),

order_keys as (
    select * from {{ ref('int_order_keys') }}
),

names as (
    select * from {{ ref('int_order_names') }}
    where has_order
),

final as (
    select
        order_payments.org_id,
        order_payments.payment_id,
        min(order_keys.order_key) as first_order_key,
        max(order_keys.order_key) as last_order_key
    from order_payments
    inner join names using (org_id, site_id, order_id)
    inner join order_keys using (org_id, site_id, order_id)
    group by order_payments.org_id, order_payments.payment_id
    having min(order_keys.order_key) <> max(order_keys.order_key)
)

select * from final
