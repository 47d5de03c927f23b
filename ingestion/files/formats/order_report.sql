-- Order report: a table of orders with number, date and total, whatever the shop.
-- The headers are those of Etsy, Squarespace, Wix, Ecwid, Shopware and similar shops.
-- export: Export the orders with the columns order number, date, total, status and currency.
-- kind: conversions, refunds
-- required: id = Order ID | Order number | Order no. | Order no | Order # | Order | Sale ID | Purchase ID
-- required: id = Bestellnummer | Auftragsnummer | Bestellung | Numéro de commande | N° de commande | Commande
-- required: id = Número de pedido | Pedido | Numero ordine | Ordine | Bestelnummer
-- required: id = Número do pedido | Numer zamówienia | Ordernummer | Ordrenummer
-- required: date = Order date | Order placed | Sale date | Date created | Created at | Created | Purchase date | Purchased at
-- required: date = Placed at | Placed on | Date placed | Paid at | Date | Bestelldatum | Datum | Auftragsdatum | Erstellt am
-- required: date = Date de commande | Date de la commande | Créé le | Fecha del pedido | Fecha de pedido | Fecha
-- required: date = Data ordine | Data dell'ordine | Data | Besteldatum | Data do pedido | Data zamówienia | Orderdatum
-- required: total = Order total | Total | Order total ({currency}) | Total ({currency}) | Grand total | Order amount
-- required: total = Total amount | Amount total | Total price | Total paid | Gesamtsumme | Gesamtbetrag | Gesamt | Summe
-- required: total = Montant total | Total TTC | Total (TTC) | Importe total | Total del pedido | Totale | Totale ordine
-- required: total = Totaal | Totaalbedrag | Valor total | Total do pedido | Kwota całkowita | Suma | Summa
-- optional: time = Time | Order time | Uhrzeit | Heure | Hora | Ora
-- optional: status = Payment status | Financial status | Order status | Status | Zahlungsstatus | Bestellstatus
-- optional: status = Statut du paiement | État | Statut | Estado del pago | Estado | Stato del pagamento | Stato | Betaalstatus
-- optional: currency = Currency | Currency code | Order currency | Währung | Devise | Moneda | Divisa | Valuta | Moeda | Waluta
-- optional: customer_id = Customer ID | Buyer user ID | Buyer ID | User ID | Kundennummer | Kunden-ID | ID client | ID cliente
-- optional: email = Email | E-mail | Email address | Customer email | Contact email | Buyer email | Purchase email
-- optional: email = Billing email | E-Mail-Adresse | Adresse e-mail | Correo electrónico | E-mailadres
-- optional: refunded = Refunded amount | Amount refunded | Refund amount | Refunded | Total refunded | Erstattet
-- optional: refunded = Montant remboursé | Importe reembolsado | Importo rimborsato
-- optional: transaction = Payment reference | Payment ID | Transaction reference
-- optional: cancelled_at = Cancelled at | Canceled at
-- give: currency
--
-- An order can have a row for each line item: the total of the first row counts. Without a column of the status, each order
-- counts; with one, an order counts if it is paid, and an unknown status fails. Wix writes a day and a time in two columns.
select
    _row,
    unnest(
        rows_of_order(
            id, concat_ws(' ', date, time), if(status is null, 'paid', status_of_order(status)), status, total, currency, refunded,
            customer_id := customer_id,
            email_hash := if(regexp_matches(email, '^[0-9a-f]{64}$'), email, null),
            payment_ids := payment_id(transaction),
            cancelled_at := cancelled_at
        ),
        max_depth := 2
    )
from source
where total is not null
