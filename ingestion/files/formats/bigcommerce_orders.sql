-- BigCommerce: the orders export, template Default or Bulk Edit.
-- source: https://support.bigcommerce.com/s/article/Exporting-Orders
-- export: Orders, Export all orders, Default, CSV.
-- kind: conversions, refunds
-- required: id = Order ID
-- required: date = Order Date | Date Created
-- required: total = Order Total (inc tax) | Total Inc Tax
-- required: status = Order Status | Status
-- optional: time = Order Time
-- optional: currency = Order Currency Code | Currency Code
-- optional: refunded = Refund Amount | Refunded Amount
-- optional: customer_id = Customer ID
-- optional: email = Customer Email | Billing Email
-- optional: transaction = Transaction ID | Payment Provider ID
--
-- Times are in the zone of the store: import the file with --timezone. Newer files have the day only.
-- An order counts if it is paid: awaiting fulfillment, shipped, completed, refunded and the like. A row of another status,
-- such as one that the shop renamed, fails. A disputed order counts, as a disputed payment of Stripe does.
with orders as (
    select
        *,
        concat_ws(' ', date, time) as placed_at,
        status_of_order(status) as payment,
        coalesce(regexp_matches(refunded, '[1-9]'), false) as has_refund
    from source
)

select
    _row,
    'conversions' as _kind,
    if(payment = 'paid', null, 'the layout does not know whether an order of this status is paid: give the others with --where') as _reject,
    id as order_id,
    placed_at as occurred_at,
    total as value,
    currency,
    customer_id,
    transaction as payment_ids,
    email as email_hash
from orders
where payment is distinct from 'unpaid'

union all by name

-- The export has no time of a refund, so it has that of the order.
select
    _row,
    'refunds' as _kind,
    id as order_id,
    placed_at as occurred_at,
    if(has_refund, ltrim(refunded, '-'), null) as refunded_total,
    currency,
    if(is_partly_refunded_order(status) and not has_refund, 'partial', null) as reason, -- it fails
    transaction as payment_ids
from orders
where payment = 'paid' and (has_refund or is_refunded_order(status))
