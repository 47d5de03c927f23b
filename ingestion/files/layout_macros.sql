-- SQL of several layouts.

-- 2026-07-01 10:00:00 (UTC, without a zone) for a time since 1970 in seconds or milliseconds.
create or replace temp macro time_of_epoch(text) as
    make_timestamp((try_cast(text as decimal(20, 6)) * if(try_cast(text as decimal(20, 6)) < 1e11, 1000000, 1000))::bigint)::varchar;

-- The first amount that is not zero. A zero is the amount only if there is no other.
create or replace temp macro first_amount(amounts) as coalesce(
    list_extract(list_filter(amounts, lambda amount: try_cast(amount as double) is distinct from 0), 1),
    list_extract(list_filter(amounts, lambda amount: amount is not null), 1)
);

-- What an event of an analytics tool is by its name: page_view, purchase, refund or lead. Teams choose the names of events, so
-- that case, separators and the order of the words vary. An event with another name is a purchase if it has revenue.
create or replace temp macro meaning_of_event(name, revenue) as case
    when regexp_replace(lower(name), '[^a-z]', '', 'g') in (
        'pageview', 'pageviewed', 'viewedpage', 'viewpage', 'mpwebpageview', 'amplitudepageviewed', 'amplitudepageview', 'loadedapage'
    ) then 'page_view'
    when regexp_replace(lower(name), '[^a-z]', '', 'g') in (
        'orderrefunded', 'refundedorder', 'refund', 'refunded', 'orderrefund', 'refundissued', 'purchaserefunded', 'ordercancelled',
        'ordercanceled', 'cancelledorder', 'canceledorder'
    ) then 'refund'
    when regexp_replace(lower(name), '[^a-z]', '', 'g') in (
        'purchase', 'purchased', 'ordercompleted', 'completedorder', 'orderplaced', 'placedorder', 'purchasecompleted',
        'completedpurchase', 'completepurchase', 'ordercreated', 'transactioncompleted'
    ) then 'purchase'
    when regexp_replace(lower(name), '[^a-z]', '', 'g') in ('lead', 'generatelead', 'leadgenerated', 'leadsubmitted', 'submittedlead')
        then 'lead'
    when try_cast(revenue as double) > 0 then 'purchase'
    when try_cast(revenue as double) < 0 then 'refund'
end;

create or replace temp macro type_of_meaning(meaning) as case meaning
    when 'page_view' then 'PAGE_VIEW'
    when 'purchase' then 'CONVERSION'
    when 'lead' then 'CONVERSION'
    when 'refund' then 'REFUND'
    else 'CUSTOM'
end;

-- The click ids among the members of a JSON object, as a URL has them: gclid=a&fbclid=b.
create or replace temp macro click_ids_of(object) as nullif(array_to_string(list_transform(
    list_filter(
        list_zip(
            [
                'gclid', 'gbraid', 'wbraid', 'dclid', 'gad_source', 'msclkid', 'fbclid', 'ttclid', 'twclid', 'li_fat_id', 'rdt_cid',
                'epik', 'sccid', 'ScCid', 'qclid', 'yclid', 'irclickid', 'mc_cid', '_kx'
            ],
            json_extract_string(object, [
                '$.gclid', '$.gbraid', '$.wbraid', '$.dclid', '$.gad_source', '$.msclkid', '$.fbclid', '$.ttclid', '$.twclid',
                '$.li_fat_id', '$.rdt_cid', '$.epik', '$.sccid', '$.ScCid', '$.qclid', '$.yclid', '$.irclickid', '$.mc_cid', '$._kx'
            ])
        ),
        lambda pair: pair[2] <> '' and pair[2] not in ('EMPTY', 'null', 'None')
    ),
    lambda pair: pair[1] || '=' || url_encode(pair[2])
), '&'), '');

-- A JSON object without the members of the tool, which begin with $ or mp_, and without those that are columns.
create or replace temp macro own_members(object) as '{' || array_to_string(list_transform(
    list_filter(json_keys(object), lambda key: regexp_matches(key, '^[A-Za-z0-9_ .-]+$') and not regexp_matches(
        key,
        '^(mp_.*|token|time|distinct_id|insert_id|utm_(source|medium|campaign|content|term|id)|.*clid|[gw]braid|revenue|currency'
        || '|order_?id|title|referrer|current_(page|url|domain).*)$'
    )),
    lambda key: to_json(key) || ':' || json_extract(object, '$."' || key || '"')
), ',') || '}';

-- Whether an order is paid or unpaid by the status that a shop shows, in its languages; null: the status is unknown.
create or replace temp macro plain_status(status) as
    regexp_replace(strip_accents(lower(replace(replace(trim(status), '_', ' '), '-', ' '))), '^wc ', '');

create or replace temp macro status_of_order(status) as case
    when regexp_matches(
        plain_status(status),
        '^(completed?|processing|closed|paid|sent|delivered|disputed|(partial(ly)? )?(refunded|shipped)|awaiting (fulfillment|shipment|pickup)'
        || '|manual verification required|abgeschlossen|vollstandig|geschlossen|verarbeitung|in bearbeitung|versendet'
        || '|(teilweise )?(ruck|zuruck)?erstattet|terminee?|complete?|fermee?|clos|traitement|en cours( de traitement)?|expediee?'
        || '|(partiellement )?remboursee?|completad[oa]|cerrado|procesando|enviad[oa]|(parcialmente )?reembolsad[oa]|completat[oa]|completo'
        || '|chiuso|in lavorazione|elaborazione|spedit[oa]|(parzialmente )?rimborsat[oa]|afgerond|voltooid|gesloten|in behandeling|verwerking'
        || '|verzonden|(gedeeltelijk )?terugbetaald|zrealizowane|w trakcie realizacji|zwrocone|wyslane|concluido|processando'
        || '|slutford|behandlas|aterbetald|gennemfort|refunderet|fulfilled|shipped|success(ful)?|succeeded|approved|captured|settled'
        || '|bezahlt|payee?|pagad[oa]|pagat[oa]|betaald|oplacone|betald|betalt)$'
    ) then 'paid'
    when regexp_matches(
        plain_status(status),
        '^(pending|incomplete|awaiting payment|payment review|on ?hold|holded|cancel|failed|declined|rejected|expired|new|quote|trash'
        || '|(checkout |auto )?draft|(suspected )?fraud|ausstehend|zahlung|wartend|in wartestellung|zuruckgestellt|angehalten|abgebrochen'
        || '|storniert|fehlgeschlagen|entwurf|betrugsverdacht|en attente|attente|suspendu|annule|echou|brouillon|fraude|pendiente'
        || '|en espera|retenid|cancelad|fallid|borrador|in attesa|in sospeso|sospe|annullat|fallit|bozza|in de wacht|wacht|geannuleerd'
        || '|mislukt|concept|vermoed|oczek|wstrzymane|anulowane|nieudane|szkic|pagamento pendente|aguardando|malogrado|rascunho'
        || '|vantar|avbruten|misslyckad|afventer|annulleret|unpaid|not paid|authori[sz]ed|void|abandoned|unbezahlt|offen|non paye|impaye'
        || '|no pagad|non pagat|onbetaald|nieoplacone|obetald|ubetalt)'
    ) then 'unpaid'
end;

-- Whether the status says that the money of an order went back, in full or in part.
create or replace temp macro is_refunded_order(status) as regexp_matches(
    plain_status(status),
    '(^| )(refunded|closed|(ruck|zuruck)?erstattet|geschlossen|remboursee?|fermee?|clos|reembolsad[oa]|cerrado|rimborsat[oa]|chiuso|terugbetaald|gesloten'
    || '|zwrocone|aterbetald|refunderet)$'
);

create or replace temp macro is_partly_refunded_order(status) as
    is_refunded_order(status) and regexp_matches(plain_status(status), '^(partial|teil|parti|parzial|parcial|gedeelte)');

-- An amount in micros, from a plain decimal such as 120.0000; null if it is written otherwise.
create or replace temp macro plain_micros(amount) as (
    if(regexp_matches(amount, '^\d+(\.\d*)?$'), try_cast(amount as decimal(18, 6)), null)::decimal(26, 6) * 1000000
)::hugeint;

-- The share of a total that a part is of another total, such as a refund in the buyer's currency: rounded once, to micros. Without
-- plain decimals it is a text that fails as money, except for equal totals.
create or replace temp macro same_share(part, of_total, total) as case
    when part is null or of_total is null or of_total = total or not regexp_matches(part, '[1-9]') then part
    when plain_micros(part) is null or plain_micros(total) is null or coalesce(plain_micros(of_total), 0) = 0
        then part || ' of ' || of_total
    else list_transform(
        [(2 * plain_micros(part) * plain_micros(total) + plain_micros(of_total)) // (2 * plain_micros(of_total))],
        lambda micros: (micros // 1000000)::varchar || '.' || lpad((micros % 1000000)::varchar, 6, '0')
    )[1]
end;

-- An amount less a part of it, in the format of both: a decimal point or comma, and no thousands mark. Other formats give a text
-- that fails as money.
create or replace temp macro remaining_amount(amount, part) as case
    when part is null then amount
    when regexp_matches(amount || ' ' || part, '^\d{1,15}([.,]\d{1,3})? \d{1,15}([.,]\d{1,3})?$')
        and length(regexp_extract(amount, '[.,].*$')) = length(regexp_extract(part, '[.,].*$'))
        then replace(
            left(
                (replace(amount, ',', '.')::decimal(22, 6) - replace(part, ',', '.')::decimal(22, 6))::varchar,
                length(regexp_extract(amount, '[.,].*$'))::integer - length('.000000')::integer
            ),
            '.',
            if(contains(amount, ','), ',', '.')
        )
    else amount || ' less ' || part
end;

-- The id of a payment in a cell that can also have a word of the shop, such as cash, N/A or Bank transfer paid. Orders with the
-- same id are one order, so that a word would connect strangers.
create or replace temp macro payment_id(cell) as case when regexp_matches(cell, '^\S*\d\S*$') then real_id(cell) end;

-- The rows of one order of a shop's export, without those that are null: a conversion if the order is paid, and a refund. The
-- export has no time of a refund, so it has that of the order. A blank amount is no refund, unless the status is refunded. An
-- order of an unknown status fails, as does a partial refund without an amount.
create or replace temp macro rows_of_order(
    id, placed_at, payment, status, total, currency, refunded, customer_id := null, email_hash := null, payment_ids := null,
    cancelled_at := null, presentment_value := null, presentment_currency := null
) as list_filter(
    [
        if(
            payment is distinct from 'unpaid',
            {
                '_kind': 'conversions',
                '_reject': if(
                    payment = 'paid',
                    null,
                    'the layout does not know whether an order of this status is paid: give the others with --where'
                ),
                'order_id': id,
                'occurred_at': placed_at,
                'value': total,
                'currency': currency,
                'customer_id': customer_id,
                'email_hash': email_hash,
                'payment_ids': payment_ids,
                'presentment_value': presentment_value,
                'presentment_currency': presentment_currency
            },
            null
        ),
        if(
            payment = 'paid' and (coalesce(regexp_matches(refunded, '[1-9]'), false) or is_refunded_order(status)),
            {
                '_kind': 'refunds',
                'order_id': id,
                'occurred_at': placed_at,
                'currency': currency,
                'payment_ids': payment_ids,
                'refunded_total': if(regexp_matches(refunded, '[1-9]'), ltrim(refunded, '-'), null),
                'reason': if(
                    is_partly_refunded_order(status) and not coalesce(regexp_matches(refunded, '[1-9]'), false), 'partial', null
                )
            },
            null
        ),
        if(
            payment = 'paid' and cancelled_at is not null,
            {
                '_kind': 'refunds',
                'order_id': id,
                'occurred_at': cancelled_at,
                'reason': 'cancelled'
            },
            null
        )
    ],
    lambda each: each is not null
);
