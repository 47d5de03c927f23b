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

-- An order id can be the id of a payment, too.
name_payments as (
    select org_id, site_id, order_id, part as payment_id from split_payments

    union

    select org_id, site_id, order_id, order_id as payment_id from names
),

-- The orders that a payment id can mean. The order that knows the most ids connects the others.
paid_orders as (
    select
        name_payments.org_id,
        name_payments.payment_id,
        names.order_key,
        count(*) over (partition by name_payments.org_id, names.order_key) as ids,
        bool_or(substring(name_payments.payment_id, 1, 3) = 'in_')
            over (partition by name_payments.org_id, names.order_key) as has_invoice
    from name_payments
    inner join names using (org_id, site_id, order_id)
    inner join (select distinct org_id, coalesce(site_id, '') as site_id, order_id from conversions) as paid
        using (org_id, site_id, order_id)
    where names.has_order and names.order_key is not null
),

payments as (
    select
        org_id,
        payment_id,
        substring(payment_id, 1, 4) = 'sub_' as is_subscription,
        bool_or(has_invoice) as has_invoice,
        min(order_key) = max(order_key) as is_one_order,
        max(ids) as ids,
        min_by(order_key, lpad(cast(1000000 - ids as {{ dbt.type_string() }}), 7, '0') || order_key) as order_key
    from paid_orders
    group by org_id, payment_id
),

invoiced_names as (
    select distinct org_id, site_id, order_id, true as has_invoice
    from split_payments
    where substring(part, 1, 3) = 'in_'
),

-- A subscription has many payments, each with its own invoice. So it identifies an order only if no invoice does.
ranked as (
    select
        names.org_id,
        names.site_id,
        names.order_id,
        names.order_key as sited_order_key,
        names.has_order,
        payments.order_key,
        row_number() over (
            partition by names.org_id, names.site_id, names.order_id
            order by payments.is_subscription, payments.ids desc, payments.order_key
        ) as rank
    from names
    inner join name_payments using (org_id, site_id, order_id)
    inner join payments using (org_id, payment_id)
    left join invoiced_names using (org_id, site_id, order_id)
    where not payments.is_subscription
        or (
            payments.is_one_order
            and not names.has_order
            and (invoiced_names.has_invoice is null or not payments.has_invoice)
        )
),

connected as (
    select * from ranked
    where rank = 1
),

-- A payment can connect two orders, one of which another payment connects to a third.
connected_orders as (
    select
        org_id,
        sited_order_key as order_key,
        min(order_key) as connected_order_key
    from connected
    where has_order
    group by org_id, sited_order_key
),

final as (
    select
        names.org_id,
        names.site_id,
        names.order_id,
        coalesce(connected_orders.connected_order_key, connected.order_key, names.order_key) as order_key
    from names
    left join connected using (org_id, site_id, order_id)
    left join connected_orders
        on connected.org_id = connected_orders.org_id
        and connected.order_key = connected_orders.order_key
)

select * from final
