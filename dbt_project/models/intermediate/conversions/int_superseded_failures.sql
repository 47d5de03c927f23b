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

split_failures as (
    {{ split_to_rows('failures', ['org_id', 'refund_id'], 'payment_ids', ' ') }}
),

failure_ids as (
    select
        org_id,
        part,
        substring(part, 1, 3) in ('ch_', 'py_') as is_charge,
        bool_or(substring(part, 1, 3) in ('ch_', 'py_')) over (partition by org_id, refund_id) as has_charge
    from split_failures
),

-- A payment intent can have several charges, so it identifies the failed payment only if no charge does.
failed_ids as (
    select distinct
        org_id,
        part as payment_id
    from failure_ids
    where is_charge or not has_charge
),

split_payments as (
    {{ split_to_rows('conversions', ['org_id', 'conversion_id'], 'payment_ids', ' ') }}
),

failed_payments as (
    select distinct
        split_payments.org_id,
        split_payments.conversion_id
    from split_payments
    inner join failed_ids
        on split_payments.org_id = failed_ids.org_id
        and split_payments.part = failed_ids.payment_id
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
