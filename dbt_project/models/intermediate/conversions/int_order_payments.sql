with

names as (
    select * from {{ ref('int_order_names') }}
),

conversions as (
    select * from {{ ref('stg_raw__conversions') }}
    where payment_ids is not null and order_id is not null
),

refunds as (
    select * from {{ ref('stg_raw__refunds') }}
    where payment_ids is not null
),

paid_names as (
    select org_id, coalesce(site_id, '') as site_id, order_id, payment_ids from conversions

    union

    select org_id, coalesce(site_id, '') as site_id, order_id, payment_ids from refunds
),

split_payments as (
    {{ split_to_rows('paid_names', ['org_id', 'site_id', 'order_id'], 'payment_ids', ' ') }}
),

payment_ids as (
    select distinct
        org_id,
        part as payment_id
    from split_payments
),

-- An order id can be the id of a payment, too. Other order ids are no payment ids, because two sites can have the same ones.
named_payments as (
    select org_id, site_id, order_id, part as payment_id from split_payments

    union

    select
        names.org_id,
        names.site_id,
        names.order_id,
        payment_ids.payment_id
    from names
    inner join payment_ids
        on names.org_id = payment_ids.org_id
        and names.order_id = payment_ids.payment_id
),

final as (
    select
        named_payments.org_id,
        named_payments.site_id,
        named_payments.order_id,
        named_payments.payment_id,
        substring(named_payments.payment_id, 1, 4) = 'sub_' as is_subscription,
        substring(named_payments.payment_id, 1, 3) = 'in_' as is_invoice,
        names.order_key
    from named_payments
    inner join names using (org_id, site_id, order_id)
)

select * from final
