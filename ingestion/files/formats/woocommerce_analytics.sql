-- WooCommerce: the download of Analytics, Orders.
-- source: https://github.com/woocommerce/woocommerce/blob/trunk/plugins/woocommerce/src/Admin/API/Reports/Orders/Controller.php
-- source: https://woocommerce.com/document/woocommerce-analytics/orders-report/
-- export: Analytics, Orders, Download.
-- kind: conversions, refunds
-- required: date = Date | Datum | Fecha | Data
-- required: number = Order # | Bestellung # | Bestellung Nr. | Commande n° | N° de commande | Pedido # | N.º de pedido | Ordine n. | Bestelling #
-- required: status = Status | État | Estado | Stato
-- required: customer_type = Customer type | Kundentyp | Type de client | Tipo de cliente | Tipo di cliente | Klanttype
-- required: net = Net Sales | N. Revenue | Net Revenue | Nettoumsatz | Ventes nettes | Ventas netas | Vendite nette | Netto-omzet
-- optional: total = N. Revenue (formatted) | Revenue
--
-- Times are in the zone of the shop: import the file with --timezone. `N. Revenue (formatted)` is the order's total with
-- tax and shipping; a file without it has only the net sales. The file states no currency code: use --set currency=CODE if
-- it is not the org's. A refund is a row with a negative amount, the number of its order and the day of the refund.
with orders as (
    select
        *,
        coalesce(total, net) as amount,
        coalesce(regexp_matches(coalesce(total, net), '^\W*[-−]'), false) as is_negative,
        status_of_order(status) as payment
    from source
    where number is not null
)

select
    _row,
    'conversions' as _kind,
    if(payment = 'paid', null, 'the layout does not know whether an order of this status is paid: give the others with --where') as _reject,
    number as order_id,
    date as occurred_at,
    amount as value
from orders
where not is_negative and payment is distinct from 'unpaid'

union all by name

select
    _row,
    'refunds' as _kind,
    number as order_id,
    date as occurred_at,
    regexp_replace(amount, '[-−]', '') as value
from orders
where is_negative

union all by name

-- A refunded order whose refund is in no row of the file returns the rest.
select
    _row,
    'refunds' as _kind,
    number as order_id,
    date as occurred_at,
    null as value
from orders
where not is_negative and is_refunded_order(status) and not is_partly_refunded_order(status)
