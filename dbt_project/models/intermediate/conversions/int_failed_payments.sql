with

conversions as (
    select * from {{ ref('stg_raw__conversions') }}
    where payment_ids is not null and value_micros > 0
),

failures as (
    select * from {{ ref('int_payment_refunds') }}
    where reason = 'payment_failed'
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

final as (
    select distinct
        split_payments.org_id,
        split_payments.conversion_id
    from split_payments
    inner join failed_ids
        on split_payments.org_id = failed_ids.org_id
        and split_payments.part = failed_ids.payment_id
)

select * from final
