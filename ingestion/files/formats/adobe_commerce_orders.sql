-- Adobe Commerce (Magento): the orders grid.
-- source: https://experienceleague.adobe.com/en/docs/commerce-admin/stores-sales/order-management/orders/orders
-- source: https://experienceleague.adobe.com/en/docs/commerce-admin/start/admin/admin-grid-export
-- source: https://github.com/magento/magento2/blob/2.4-develop/app/code/Magento/Sales/etc/di.xml
-- export: Sales, Orders, Export, CSV.
-- kind: conversions, refunds
-- required: id = ID | Order #
-- required: date = Purchase Date | Purchased On | Kaufdatum | Bestelldatum | Date d'achat | Fecha de compra | Data di acquisto | Data acquisto | Aankoopdatum
-- required: total = Grand Total (Base) | G.T. (Base) | Gesamtsumme (Basis) | Gesamtbetrag (Basis) | Total général (Base) | Montant global (de base) | Total general (base) | Totale complessivo (base) | Eindtotaal (basis)
-- required: status = Status | État | Statut | Estado | Stato
-- optional: paid_total = Grand Total (Purchased) | G.T. (Purchased) | Gesamtsumme (Gekauft) | Gesamtsumme (erworben) | Total général (Acheté) | Total general (comprado) | Totale complessivo (acquistato) | Eindtotaal (gekocht)
-- optional: refunded = Total Refunded | Rückerstattungsbetrag | Gesamt erstattet | Total remboursé | Total reembolsado | Totale rimborsato | Totaal terugbetaald
-- optional: currency = Base Currency | base_currency_code
-- optional: paid_currency = Purchased Currency | Order Currency | order_currency_code
-- optional: email = Customer Email | Kunden-E-Mail | E-Mail des Kunden | Email du client | E-mail client | Correo electrónico del cliente | Email cliente | E-mail klant
-- optional: transaction = Transaction ID | last_trans_id
--
-- Times are in the zone of the store: import the file with --timezone. The grid states no currency: use
-- --set currency=CODE if the base currency is not the org's. order_id is the number of the order, such as 000000042.
-- An order counts if it is paid: processing, complete or closed. Closed means refunded, in full if the amount is blank.
-- A row of another status fails. `Total Refunded` is in the purchased currency, so it is the same share of the base total
-- as of the purchased total.
select
    _row,
    unnest(
        rows_of_order(
            id, date, status_of_order(status), status, total, currency, same_share(refunded, paid_total, total),
            email_hash := if(regexp_matches(email, '^[0-9a-f]{64}$'), email, null),
            payment_ids := payment_id(transaction),
            presentment_value := if(paid_currency <> currency, paid_total, null),
            presentment_currency := if(paid_currency <> currency, paid_currency, null)
        ),
        max_depth := 2
    )
from source
