-- Adobe Commerce (Magento): the orders grid.
-- source: https://experienceleague.adobe.com/en/docs/commerce-admin/stores-sales/order-management/orders/orders
-- source: https://experienceleague.adobe.com/en/docs/commerce-admin/start/admin/admin-grid-export
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
-- A row of another status fails.
with orders as (
    select
        *,
        strip_accents(lower(replace(status, '_', ' '))) as state
    from source
),

classified as (
    select
        *,
        regexp_matches(
            state,
            '^(processing|complete|closed|shipped|delivered|refunded|(partially|partial) (refunded|shipped)|in bearbeitung|verarbeitung'
            || '|vollstandig|abgeschlossen|geschlossen|traitement|en cours de traitement|termine|complet|complete|ferme|clos|procesando'
            || '|completado|cerrado|in lavorazione|elaborazione|completat[oa]|completo|chiuso|verwerking|in behandeling|voltooid|gesloten)$'
        ) as is_paid,
        regexp_matches(
            state,
            '^(pending|payment review|on ?hold|holded|cancel|suspected fraud|fraud|new|rejected|ausstehend|wartend|zahlung|zuruckgestellt'
            || '|angehalten|abgebrochen|storniert|betrugsverdacht|en attente|suspendu|annule|fraude|pendiente|retenid|en espera|cancelad'
            || '|in attesa|in sospeso|annullat|sospett|in de wacht|wachtend|geannuleerd|vermoed)'
        ) as is_unpaid,
        state in ('closed', 'refunded', 'geschlossen', 'ferme', 'clos', 'cerrado', 'chiuso', 'gesloten') as is_closed
    from orders
)

select
    _row,
    'conversions' as _kind,
    if(is_paid, null, 'the layout does not know whether an order of this status is paid: give the others with --where') as _reject,
    id as order_id,
    date as occurred_at,
    total as value,
    currency,
    if(paid_currency <> currency, paid_total, null) as presentment_value,
    if(paid_currency <> currency, paid_currency, null) as presentment_currency,
    transaction as payment_ids,
    if(regexp_matches(email, '^[0-9a-f]{64}$'), email, null) as email_hash
from classified
where not is_unpaid

union all by name

-- The grid has no time of a refund, so it has that of the order. The amount is in the base currency.
select
    _row,
    'refunds' as _kind,
    id as order_id,
    date as occurred_at,
    if(regexp_matches(refunded, '[1-9]'), refunded, null) as refunded_total,
    currency,
    transaction as payment_ids
from classified
where is_paid and (regexp_matches(refunded, '[1-9]') or is_closed)
