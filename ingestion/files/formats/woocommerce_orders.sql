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
-- customer_id is the number of the customer in this shop: give each shop an org of its own.
-- An order counts if it is paid: completed, processing or refunded, as WooCommerce or a plugin names it. A row of another
-- status fails. transaction_id is the payment provider's id, so that the payment in an export of Stripe or PayPal is the
-- same order. A text such as `Bank transfer paid` is no id.
select
    _row,
    unnest(
        rows_of_order(
            id, date, status_of_order(status), status, total, currency, refunded,
            customer_id := customer_id,
            email_hash := if(regexp_matches(email, '^[0-9a-f]{64}$'), email, null),
            payment_ids := payment_id(transaction)
        ),
        max_depth := 2
    )
from source
