-- Shopify: the orders export.
-- source: https://help.shopify.com/en/manual/fulfillment/managing-orders/exporting-orders
-- export: Orders, Export, Plain CSV file.
-- kind: conversions, refunds
-- required: name = Name
-- required: created_at = Created at
-- required: total = Total
-- required: financial_status = Financial Status
-- optional: id = Id
-- optional: currency = Currency
-- optional: email = Email
-- optional: customer_id = Customer ID | Customer
-- optional: refunded_amount = Refunded Amount
-- optional: cancelled_at = Cancelled at | Canceled at
-- optional: note_attributes = Note Attributes
-- optional: payment_method = Payment Method
--
-- An order has a row for each line item. The first has the totals, the status and the numeric id; the others have none.
-- As in the webhooks, order_id is the numeric id, an order counts once it is paid, and a cancelled order no longer counts.
-- A file without the id has the name (#1001) as order_id. Orders of the Bogus Gateway are tests.
with orders as (
    select
        *,
        coalesce(id, name) as order_id,
        lower(replace(financial_status, ' ', '_')) as status,
        status in ('paid', 'partially_refunded', 'refunded') as is_paid,
        coalesce(status in ('pending', 'authorized', 'partially_paid', 'voided', 'expired', 'unpaid'), false) as is_unpaid
    from source
    where total is not null and not coalesce(regexp_matches(payment_method, '(?i)\bbogus\b'), false)
)

select
    _row,
    'conversions' as _kind,
    if(is_paid, null, 'the financial status is none of Shopify''s: was the file edited?') as _reject,
    -- An edited order has another total in a later export: it fails as id_conflict, as in the webhooks.
    'shopify_orders:' || id as conversion_id,
    order_id,
    created_at as occurred_at,
    total as value,
    currency,
    customer_id,
    -- A theme puts the visitor into the cart's attributes (docs/webhooks.md).
    nullif(regexp_extract(note_attributes, '(?m)^_?tributary_anon_id: *(\S+)', 1), '') as visitor_id,
    name as order_name,
    email as email_hash
from orders
where not is_unpaid

union all by name

-- The export has no time of a refund, so it has that of the order. Without the column of the amount, a refunded order is
-- refunded in full.
select
    _row,
    'refunds' as _kind,
    order_id,
    created_at as occurred_at,
    refunded_amount as refunded_total,
    currency,
    if(status = 'partially_refunded' and refunded_amount is null, 'partial', null) as reason -- it fails
from orders
where is_paid and (regexp_matches(refunded_amount, '[1-9]') or (status <> 'paid' and refunded_amount is null))

union all by name

select
    _row,
    'refunds' as _kind,
    order_id,
    cancelled_at as occurred_at,
    'cancelled' as reason
from orders
where is_paid and cancelled_at is not null
