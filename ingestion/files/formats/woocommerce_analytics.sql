-- WooCommerce: the download of Analytics, Orders.
-- source: https://github.com/woocommerce/woocommerce/blob/trunk/plugins/woocommerce/src/Admin/API/Reports/Orders/Controller.php
-- source: https://github.com/woocommerce/woocommerce/blob/trunk/plugins/woocommerce/includes/class-wc-order.php
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
-- it is not the org's. A refund is a row with negative net sales, the number and status of its order and the day of the
-- refund. The total of an order with refunds is `$45.00 $30.00` in all its rows: before and after the refunds. The
-- difference is the sum of its refunds with tax. A row with a negative total has only its own refund.
with figures as (
    select
        *,
        regexp_extract_all(total, '\d{1,3}(?:[ \x{00A0}\x{202F}]\d{3})+(?:[.,]\d+)?|\d[\d.,'']*') as amounts,
        len(amounts) = 2 as has_refunds,
        list_transform(amounts, lambda each: length(regexp_extract(each, '[.,](\d+)$', 1))) as decimals,
        -- One of 1,200 and 900 shows that the comma marks thousands. 1.200 and 1.050 can be either.
        if(decimals[1] = 0 or decimals[2] = 0, 0, decimals[1]) as decimal_places,
        list_transform(amounts, lambda each: try_cast(regexp_replace(each, '\D', '', 'g') as bigint)) as digits,
        (digits[1] - digits[2])::varchar as difference,
        lpad(difference, greatest(length(difference), decimal_places + 1)::integer, '0') as padded
    from source
    where number is not null
),

orders as (
    select
        *,
        coalesce(if(has_refunds, amounts[1], total), net) as amount,
        case
            when not has_refunds or decimal_places = 3 or digits[1] <= digits[2] then null
            when decimal_places = 0 then difference
            else left(padded, -decimal_places::integer) || regexp_extract(amounts[1], '([.,])\d+$', 1) || right(padded, decimal_places)
        end as refunded_total,
        coalesce(regexp_matches(total, '^\W*[-−]'), false) as has_negative_total,
        has_negative_total or coalesce(regexp_matches(net, '^\W*[-−]'), false) as is_negative,
        bool_or(is_negative) over (partition by number) as has_refund_row,
        status_of_order(status) as payment
    from figures
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
    if(refunded_total is null, regexp_replace(if(has_negative_total, total, net), '[-−]', ''), null) as value,
    refunded_total
from orders
where is_negative

union all by name

-- A refund of shipping has net sales of 0 in its row, and can be older than the file.
select
    _row,
    'refunds' as _kind,
    number as order_id,
    date as occurred_at,
    null as value,
    refunded_total
from orders
where not has_refund_row and payment = 'paid' and refunded_total is not null

union all by name

-- A refunded order whose refund is in no row of the file returns the rest.
select
    _row,
    'refunds' as _kind,
    number as order_id,
    date as occurred_at,
    null as value,
    null as refunded_total
from orders
where not is_negative and is_refunded_order(status) and not is_partly_refunded_order(status)
