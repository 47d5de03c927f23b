with

names as (
    select * from {{ ref('int_order_names') }}
),

order_payments as (
    select * from {{ ref('int_order_payments') }}
),

connected_orders as (
    select * from {{ ref('int_connected_orders') }}
),

orders as (
    select distinct
        names.org_id,
        names.order_key as sited_order_key,
        coalesce(connected_orders.group_key, names.order_key) as order_key
    from names
    left join connected_orders
        on names.org_id = connected_orders.org_id
        and names.order_key = connected_orders.order_key
    where names.has_order and names.order_key is not null
),

-- Refunds, postbacks and answers can name an order by a payment, and so can a sale with an ambiguous order id.
references_to_orders as (
    select
        names.org_id,
        names.site_id,
        names.order_id,
        names.has_order,
        order_payments.payment_id,
        bool_or(order_payments.is_invoice) over (
            partition by names.org_id, names.site_id, names.order_id
        ) as has_invoice
    from names
    left join orders
        on names.org_id = orders.org_id
        and names.order_key = orders.sited_order_key
    inner join order_payments
        on names.org_id = order_payments.org_id
        and names.site_id = order_payments.site_id
        and names.order_id = order_payments.order_id
    where orders.order_key is null
),

referenced_payments as (
    select distinct
        org_id,
        payment_id
    from references_to_orders
),

invoiced_orders as (
    select distinct
        order_payments.org_id,
        orders.order_key
    from order_payments
    inner join orders
        on order_payments.org_id = orders.org_id
        and order_payments.order_key = orders.sited_order_key
    where order_payments.is_invoice
),

payments as (
    select
        order_payments.org_id,
        order_payments.payment_id,
        order_payments.is_subscription,
        bool_or(invoiced_orders.order_key is not null) as has_invoice,
        min(orders.order_key) = max(orders.order_key) as is_one_order,
        min(orders.order_key) as order_key
    from referenced_payments
    inner join order_payments
        on referenced_payments.org_id = order_payments.org_id
        and referenced_payments.payment_id = order_payments.payment_id
    inner join orders
        on order_payments.org_id = orders.org_id
        and order_payments.order_key = orders.sited_order_key
    left join invoiced_orders
        on orders.org_id = invoiced_orders.org_id
        and orders.order_key = invoiced_orders.order_key
    group by order_payments.org_id, order_payments.payment_id, order_payments.is_subscription
),

-- A subscription has many payments, each with its own invoice. So it identifies an order only if no invoice does.
referenced as (
    select
        references_to_orders.org_id,
        references_to_orders.site_id,
        references_to_orders.order_id,
        coalesce(
            min(case when not payments.is_subscription then payments.order_key end),
            min(payments.order_key)
        ) as order_key
    from references_to_orders
    inner join payments using (org_id, payment_id)
    where not payments.is_subscription
        or (
            payments.is_one_order
            and not references_to_orders.has_order
            and not (references_to_orders.has_invoice and payments.has_invoice)
        )
    group by references_to_orders.org_id, references_to_orders.site_id, references_to_orders.order_id
),

final as (
    select
        names.org_id,
        names.site_id,
        names.order_id,
        coalesce(orders.order_key, referenced.order_key, names.order_key) as order_key
    from names
    left join referenced using (org_id, site_id, order_id)
    left join orders
        on names.org_id = orders.org_id
        and names.order_key = orders.sited_order_key
)

select * from final
