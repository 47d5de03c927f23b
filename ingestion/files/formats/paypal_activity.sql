-- PayPal: the activity download, or the activity report.
-- source: https://www.paypal.com/us/cshelp/article/how-do-i-view-and-download-statements-and-reports-help145
-- source: https://developer.paypal.com/docs/reports/online-reports/activity-download/
-- source: https://developer.paypal.com/docs/reports/reference/tcodes/
-- export: Activity, Download: all transactions, CSV; or Reports, Activity report.
-- kind: conversions, refunds
-- required: date = Date | Datum | Fecha | Data
-- required: timezone = TimeZone | Time Zone | Zeitzone | Fuseau horaire | Zona horaria | Huso horario | Fuso orario | Tijdzone | Strefa czasowa | Fuso horário | Tidszon | Tidszone | Tidssone
-- required: type = Type | Typ | Tipo | Description | Beschreibung | Descripción | Descrizione | Omschrijving | Opis | Descrição | Beskrivning | Beskrivelse
-- required: currency = Currency | Währung | Devise | Divisa | Moneda | Valuta | Waluta | Moeda
-- required: gross = Gross | Brutto | Avant commission | Brut | Bruto | Lordo
-- required: transaction = Transaction ID | Transaktionscode | Numéro de transaction | Id. de transacción | Codice transazione | Transactiereferentie | Transactie-ID | Numer transakcji | ID da transação | Código da transação | Transaktions-id | Transaktions-ID | Transaksjons-ID
-- optional: time = Time | Uhrzeit | Heure | Hora | Orario | Ora | Tijd | Godzina | Tid | Tidspunkt
-- optional: status = Status | État | Estado | Stato | Stan
-- optional: reference = Reference Txn ID | Zugehöriger Transaktionscode | Referenztransaktionscode | Numéro de la transaction de référence | Numéro de transaction de référence | Id. de referencia de trans. | Id. de transacción de referencia | Codice transazione di riferimento | Referentie transactie-ID | Pomocniczy numer transakcji | ID de referência da transação | Referens för transaktions-id
-- optional: email = From Email Address | Absender E-Mail-Adresse | Absender-E-Mail-Adresse | De l'adresse email | Adresse email de l'expéditeur | Correo electrónico del remitente | Indirizzo email mittente | Van e-mailadres | Z adresu e-mail | Do endereço de e-mail | Från e-postadress | Fra e-mailadresse
-- optional: impact = Balance Impact | Auswirkung auf Guthaben | Impact sur le solde | Efecto en el saldo | Impatto sul saldo
--
-- A completed payment that was received is an order, under its transaction id, which payment_ids has, too: the order of a
-- shop's export with that id is the same order. Refunds and reversals of payments name it as their reference.
-- A chargeback (T1201) and a payment reversal by PayPal (T1106) withdraw money: they are refunds, as are withdrawals of Stripe.
-- The same types with a positive amount, and a chargeback reversal (T1202), return it.
-- Neither are purchases of the account itself, withdrawals, deposits, conversions, fees, and the holds during a dispute (T1110),
-- which PayPal releases (T1111) before it withdraws or leaves the money.
-- Texts are in the language of the account. A row of an unknown status fails.
with activity as (
    select
        *,
        strip_accents(lower(type)) as kind,
        strip_accents(lower(coalesce(status, 'completed'))) as state,
        regexp_matches(gross, '^[-−–(]|-$') as is_negative,
        concat_ws(' ', date, time) as occurred_at,
        upper(timezone) as zone
    from source
    where lower(coalesce(impact, '')) <> 'memo'
),

classified as (
    select
        *,
        regexp_matches(
            kind,
            'refund|revers|ruckzahl|erstattung|ruckbuch|storn|rembours|annul|reembols|devoluc|rimbors|terugb|estorn|zwrot|aterbet'
            || '|refusjon|tilbagebet|cancelac|charge ?back|contracargo'
        ) as is_return,
        regexp_matches(kind, 'revers|ruckbuch|storn|annul|estorn|cancelac|charge ?back|contracargo') as is_reversal,
        regexp_matches(
            kind,
            'conver|umrechnung|cambio|omrekening|wissel|przewalut|omvaxl|withdraw|auszahl|abbuchung|retrait|virement|retir|prelievo'
            || '|bonifico|opname|saque|wyplat|uttag|deposit|einzahl|bankgutschrift|aufladung|depot|ingreso|storting|wplat|insattn'
            || '|hold|einbehalt|reserv|blocage|retenc|sospens|trattenut|blokad|release|freigabe|author|autori|genehmig|\bfees?\b'
            || '|gebuhr|entgelt|frais|commission|comision|tariffa|kosten|tarifa|oplata|avgift|gebyr|transfer|ubertrag|trasfer'
            || '|overboek|przelew|overfor|dispute|claim|litig|konflikt|disputa|mass|working capital|loan'
            || '|darlehen|cashback|bonus|reward|adjust|anpassung|ajust|interest|zinsen|\btax\b'
        ) as is_no_payment,
        email is not null or regexp_matches(
            kind,
            'payment|zahlung|paiement|pago|pagamento|betaling|platnosc|betalning|checkout|donat|spende|subscri|abonn|rechnung|invoice'
        ) as is_payment,
        regexp_matches(
            state,
            '^(completed|cleared|paid|abgeschlossen|termine|effectue|complete|completad|completat|voltooid|conclui|ukonczon|zakonczon'
            || '|zrealizowan|slutfor|gennemf|fuldf|fullf|(partially |teilweise )?(refunded|erstattet|ruckerstattet|zuruckgezahlt)'
            || '|rembourse|reembolsad|rimborsat|terugbetaald)'
        ) as is_completed,
        regexp_matches(
            state,
            '^(pending|processing|held|placed|active|denied|cancel|expired|failed|reversed|unclaimed|returned|voided|blocked|removed'
            || '|ausstehend|offen|in bearbeitung|abgelehnt|storn|abgelaufen|fehlgeschlagen|zuruckgebucht|nicht abgeholt|einbehalten'
            || '|en attente|en cours|refuse|annule|expire|echec|echou|non reclame|bloque|pendiente|en proceso|denegad|cancelad'
            || '|caducad|vencid|fallid|rechazad|no reclamad|in sospeso|in attesa|in corso|rifiutat|negat|annullat|scadut|non riuscit'
            || '|in behandeling|openstaand|geweigerd|afgewezen|geannuleerd|verlopen|mislukt|pendente|em process|negad|recusad|falh'
            || '|oczek|w toku|odrzucon|anulowan|wygas|vantande|pagaende|nekad|avbrut|afvent|avvent|afvist|avvist|annuller)'
        ) as is_open,
        -- Abbreviations that mean one offset, wherever PayPal has accounts. Rows with others, such as IST, need --timezone.
        -- Etc/GMT-2 is two hours ahead of UTC.
        coalesce(
            map {
                'UTC': 'UTC', 'GMT': 'UTC', 'WET': 'UTC', 'BST': 'Etc/GMT-1', 'WEST': 'Etc/GMT-1', 'CET': 'Etc/GMT-1',
                'MEZ': 'Etc/GMT-1', 'CEST': 'Etc/GMT-2', 'MESZ': 'Etc/GMT-2', 'EET': 'Etc/GMT-2', 'EEST': 'Etc/GMT-3',
                'MSK': 'Etc/GMT-3', 'SGT': 'Etc/GMT-8', 'HKT': 'Etc/GMT-8', 'AWST': 'Etc/GMT-8', 'JST': 'Etc/GMT-9',
                'AEST': 'Etc/GMT-10', 'AEDT': 'Etc/GMT-11', 'ACST': 'Australia/Darwin', 'NZST': 'Etc/GMT-12',
                'NZDT': 'Etc/GMT-13', 'BRT': 'Etc/GMT+3', 'EDT': 'Etc/GMT+4', 'EST': 'Etc/GMT+5', 'CDT': 'Etc/GMT+5',
                'CST': 'Etc/GMT+6', 'MDT': 'Etc/GMT+6', 'MST': 'Etc/GMT+7', 'PDT': 'Etc/GMT+7', 'PST': 'Etc/GMT+8',
                'AKDT': 'Etc/GMT+8', 'AKST': 'Etc/GMT+9', 'HST': 'Etc/GMT+10'
            }[zone],
            'Etc/GMT' || translate(nullif(regexp_extract(zone, '^(?:GMT|UTC) ?([+-])0?(\d{1,2})(?::?00)?$', 1), ''), '+-', '-+')
                || regexp_extract(zone, '^(?:GMT|UTC) ?([+-])0?(\d{1,2})(?::?00)?$', 2),
            if(contains(timezone, '/'), timezone, null)
        ) as _timezone
    from activity
),

counted as (
    select
        *,
        if(is_completed, null, 'the status of the transaction is unknown: import the file with --where') as _reject
    from classified
    where not is_no_payment and not is_open
)

select
    _row,
    'conversions' as _kind,
    _timezone,
    _reject,
    transaction as order_id,
    occurred_at,
    gross as value,
    currency,
    transaction as payment_ids,
    -- An address in a column of an unknown name is no hash.
    if(regexp_matches(email, '^[0-9a-f]{64}$'), email, null) as email_hash
from counted
where not is_negative and is_payment and not is_return

union all by name

select
    _row,
    'refunds' as _kind,
    _timezone,
    _reject,
    'paypal:' || transaction as refund_id,
    reference as order_id,
    occurred_at,
    ltrim(gross, '-−–') as value,
    currency,
    case when is_reversal then if(is_negative, 'dispute', 'reversed') end as reason,
    reference as payment_ids
from counted
where is_return and (is_negative or is_reversal)
