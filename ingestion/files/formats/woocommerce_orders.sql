-- WooCommerce: orders, as the export plugins write them.
-- source: https://woocommerce.com/document/ordercustomer-csv-export/
-- source: https://docs.algolplus.com/algol_order_export/
-- source: https://www.webtoffee.com/docs/order-coupon-subscription-export-import/csv-column-headers-used/
-- export: WooCommerce, Export orders, of Order/Customer CSV Export, Advanced Order Export or WebToffee.
-- kind: conversions, refunds
-- required: id = order_id | ID | order_number | Order # | Bestellnummer | Numéro de commande | Número de pedido | Numero ordine | Bestelnummer
-- required: date = date | order_date | date_created | post_date | Bestelldatum | Date de commande | Fecha del pedido | Data ordine | Besteldatum
-- required: status = status | order_status | post_status | Bestellstatus | État de la commande | Estado del pedido | Stato ordine | Bestelstatus
-- required: total = order_total | Order Total Amount | Order Total (order_total) | Gesamtsumme der Bestellung | Montant total de la commande | Importe total del pedido | Importo totale ordine | Totaalbedrag bestelling
-- optional: refunded = refunded_total | order_refund | Order Refund Amount | total_refunded | Refund Total
-- optional: currency = order_currency | currency
-- optional: customer_id = customer_id | customer_user | Customer User ID | user_id
-- optional: email = customer_email | billing_email | Email (Billing) | Billing Email Address | Customer Email | Billing: E-mail Address | E-Mail (Rechnung)
-- optional: transaction = transaction_id
--
-- Times are in the zone of the shop: import the file with --timezone. order_id is the id of the order, in files without it
-- the number. A file with a row for each product repeats the order, which counts once.
-- An order counts if it is paid: completed, processing or refunded, as WooCommerce or a plugin names it. A row of another
-- status fails. transaction_id is the payment provider's id, so that the payment in an export of Stripe or PayPal is the
-- same order.
with orders as (
    select
        *,
        status_of_order(status) as payment,
        coalesce(regexp_matches(refunded, '[1-9]'), false) as has_refund
    from source
)

select
    _row,
    'conversions' as _kind,
    if(payment = 'paid', null, 'the layout does not know whether an order of this status is paid: give the others with --where') as _reject,
    id as order_id,
    date as occurred_at,
    total as value,
    currency,
    customer_id,
    transaction as payment_ids,
    if(regexp_matches(email, '^[0-9a-f]{64}$'), email, null) as email_hash
from orders
where payment is distinct from 'unpaid'

union all by name

-- The export has no time of a refund, so it has that of the order. A blank amount is no refund, unless the status is refunded.
select
    _row,
    'refunds' as _kind,
    id as order_id,
    date as occurred_at,
    if(has_refund, ltrim(refunded, '-'), null) as refunded_total,
    currency,
    if(is_partly_refunded_order(status) and not has_refund, 'partial', null) as reason, -- it fails
    transaction as payment_ids
from orders
where payment = 'paid' and (has_refund or is_refunded_order(status))
