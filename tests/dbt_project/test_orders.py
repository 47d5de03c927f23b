"""Count orders and their money as shops report them: each case has small files and the right figures.

All cases are in one home that is built once.
"""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

from ingestion.collector.webhooks import shopify, stripe
from ingestion.files.column_mapping import ImportOptions
from ingestion.files.load import load_file
from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.settings.raw_tables import store_settings
from ingestion.warehouse import connect
from tests.support.models import Project

Connection = duckdb.DuckDBPyConnection
SETTINGS = """\
orgs:
  - {id: default, currency: USD, timezone: UTC, lookback_days: 30}
sites:
  - {id: de, org: default, domains: [de.example]}
  - {id: fr, org: default, domains: [fr.example]}
"""


class File(NamedTuple):
    """A file to import. `de` and `fr` are the two sites."""

    kind: str
    text: str
    options: Mapping[str, Any] = {}


class Case(NamedTuple):
    files: list[File]
    values: dict[str, list[float]]  # in USD, by order
    quarantined: Sequence[tuple[str, str]] = ()  # id and reason, without second reports of an order
    failed: Sequence[str] = ()  # reasons


def orders(*rows: str, columns: str = "order_id,occurred_at,value,currency") -> File:
    """Return conversions. A time such as 3 is the 3rd of July."""
    return File("conversions", table(columns, rows))


def refunds(*rows: str, columns: str = "order_id,occurred_at,value,currency", **options: Any) -> File:
    return File("refunds", table(columns, rows), options)


def table(columns: str, rows: tuple[str, ...]) -> str:
    names = columns.split(",")
    lines = [columns]
    for row in rows:
        cells = row.split(",")
        at = names.index("occurred_at")
        cells[at] = f"2026-07-{int(cells[at]):02}T10:00:00Z" if cells[at].isdigit() else cells[at]
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


RATES = File("exchange-rates", "date,base,quote,rate\n2026-06-30,EUR,USD,1.10\n2026-06-01,SEK,USD,0.2\n")
PAID = "order_id,occurred_at,value,currency,presentment_value,presentment_currency"
NAMED = "conversion_id,order_id,occurred_at,value,currency"
SITED = "order_id,occurred_at,value,currency,site_id"
SHOPIFY = {"order_id": "Name", "occurred_at": "Created at", "value": "Total", "currency": "Currency"}
LINE_ITEMS = """\
Name,Created at,Total,Currency,Lineitem name
#1,2026-07-01 10:00:00 +0200,90.00,USD,Kettle
#1,2026-07-01 10:00:00 +0200,,,Cup
#1,2026-07-01 10:00:00 +0200,,,Spoon
#2,2026-07-02 10:00:00 +0200,,,Lid
#2,2026-07-02 10:00:00 +0200,"1,070.00",USD,Pot
#3,2026-07-04 10:00:00-0500,66.00,USD,Jug
#3,2026-07-04 10:00:00-0500,66.00,USD,Mug
#4,2026-07-04 10:00:00 UTC,0.00,USD,Gift
"""
WOO = """\
order_id,occurred_at,status,order_total,refunded_total
101,2026-07-01T10:00:00Z,completed,120,
102,2026-07-01T10:00:00Z,refunded,30,30
103,2026-07-01T10:00:00Z,completed,50,5
104,2026-07-01T10:00:00Z,Refunded,70,
105,2026-07-01T10:00:00Z,partially-refunded,80,20
106,2026-07-01T10:00:00Z,processing,90,0
"""

# Value: the identity is that of the earliest report, the money that of the earliest report with money.
VALUES = {
    "line_items": Case(
        [File("conversions", LINE_ITEMS, {"mapping": SHOPIFY})],
        {"#1": [90], "#2": [1070], "#3": [66], "#4": [0]},
    ),
    "null_and_zero_in_any_order": Case(
        [orders("A,1,,", "A,1,90,USD", "B,1,90,USD", "B,1,0,USD", "C,2,90,USD", "C,1,0.00,USD", "D,1,,", "D,3,90,USD")],
        {"A": [90], "B": [90], "C": [90], "D": [90]},
    ),
    "two_amounts": Case([orders("A,1,,", "A,3,70,USD", "A,2,90,USD")], {"A": [90]}),
    "only_zeros": Case([orders("A,1,,", "A,2,0,USD", "B,1,,")], {"A": [0], "B": [0]}),
    "money_without_a_rate": Case([orders("A,1,500,JPY", "A,2,40,USD")], {"A": [40]}),
    "no_rate_at_all": Case(
        [orders("x,A,1,,", "y,A,2,500,JPY", columns=NAMED)], {"A": [0]}, [("x", "no_exchange_rate")]
    ),
    "money_in_a_later_file": Case([orders("A,1,,"), orders("A,9,25,USD")], {"A": [25]}),
    "an_old_rate": Case([RATES, orders("A,9,10,SEK")], {"A": [2]}),
    "rate_of_the_order_day": Case([RATES, orders("A,1,,", "A,9,10,EUR")], {"A": [11]}),
    "types_are_apart": Case(
        [orders("A,1,,,lead", "A,1,90,USD,purchase", columns="order_id,occurred_at,value,currency,conversion_type")],
        {"A": [0, 90]},
    ),
    "one_id_two_contents": Case(
        [
            orders("x,A,1,,", columns="conversion_id,order_id,occurred_at,value,currency"),
            orders("x,A,2,90,USD", columns="conversion_id,order_id,occurred_at,value,currency"),
        ],
        {"A": [90]},
        failed=["id_conflict"],
    ),
}

# Shops: the same order id in two declared sites is two orders.
EVENTS = "event_id,site_id,type,occurred_at,anon_id,value,order_id"
SHOPS = {
    "two_shops": Case(
        [File("events", table(EVENTS, ("e1,de,CONVERSION,1,hans,80,1", "e2,fr,CONVERSION,2,jean,120,1")))],
        {"1": [80, 120]},
    ),
    "two_shops_with_refunds": Case(
        [orders("1,1,80,USD,de", "1,2,120,USD,fr", columns=SITED), refunds("1,5,120,USD,fr", columns=SITED)],
        {"1": [0, 80]},
    ),
    "no_site_finds_the_one": Case(
        [orders("1,1,80,USD,de", columns=SITED), orders("1,3,80,USD"), refunds("1,5,20,USD")], {"1": [60]}
    ),
    "no_site_is_ambiguous": Case(
        [
            orders("1,1,80,USD,de", "1,2,120,USD,fr", columns=SITED),
            orders("x,1,4,80,USD", columns="conversion_id,order_id,occurred_at,value,currency"),
            refunds("r,1,5,20,USD", columns="refund_id,order_id,occurred_at,value,currency"),
        ],
        {"1": [80, 120]},
        [("r", "ambiguous_order"), ("x", "ambiguous_order")],
    ),
    "an_undeclared_site_is_none": Case(
        [orders("1,1,80,USD,de", "1,2,80,USD,elsewhere", columns=SITED), refunds("1,5,80,USD,another", columns=SITED)],
        {"1": [0]},
    ),
    "no_site_has_it": Case([orders("1,1,80,USD", "1,2,80,USD"), refunds("1,5,30,USD,fr", columns=SITED)], {"1": [50]}),
    "the_other_shops_refund": Case(
        [
            orders("1,1,80,USD,de", columns=SITED),
            refunds("r,1,5,80,USD,fr", columns=f"refund_id,{SITED}"),
        ],
        {"1": [80]},
        [("r", "unknown_order")],
    ),
    "a_cancellation_of_one_shop": Case(
        [
            orders("x,1,1,80,USD,de", "y,1,2,120,USD,fr", columns=f"{NAMED},site_id"),
            refunds("1,5,de,cancelled", columns="order_id,occurred_at,site_id,reason"),
        ],
        {"1": [120]},
        [("x", "cancelled")],
    ),
    "a_negative_row_of_one_shop": Case(
        [orders("1,1,80,USD,de", "1,2,120,USD,fr", "1,3,-20,USD,fr", columns=SITED)], {"1": [80, 100]}
    ),
    "late_values_of_two_shops": Case(
        [orders("1,1,,,de", "1,2,,,fr", "1,3,80,USD,de", "1,4,120,USD,fr", columns=SITED)], {"1": [80, 120]}
    ),
}

# Negative rows: a refund of an order with a sale, never a conversion.
NEGATIVE = {
    "after_the_sale": Case([orders("A,1,100,USD", "A,3,-40,USD")], {"A": [60]}),
    "before_the_sale": Case([orders("A,1,-10,USD", "A,5,90,USD")], {"A": [80]}),
    "before_the_sale_in_another_file": Case([orders("A,1,-10,USD"), orders("A,5,90,USD")], {"A": [80]}),
    "all_of_it": Case([orders("A,1,-90,USD", "A,1,90,USD")], {"A": [0]}),
    "more_than_all": Case([orders("A,1,90,USD", "A,2,-100,USD")], {"A": [0]}),
    "without_a_sale": Case([orders("n,A,1,-50,USD", columns=NAMED)], {}, [("n", "negative_value")]),
    "of_an_order_without_money": Case(
        [orders("n,A,1,-50,USD", "m,A,1,,", columns=NAMED)], {"A": [0]}, [("n", "negative_value")]
    ),
    "without_an_order": Case([orders("n,,1,-50,USD,c", columns=f"{NAMED},customer_id")], {}, [("n", "negative_value")]),
    "in_parts": Case([orders("A,1,90,USD", "A,2,-30,USD", "A,3,-30,USD", "A,4,-30.00,USD")], {"A": [0]}),
    "beside_a_refund": Case([orders("A,1,90,USD", "A,2,-30,USD"), refunds("A,3,20,USD")], {"A": [40]}),
    "of_its_own_type": Case(
        [
            orders(
                "A,1,90,USD,purchase",
                "A,1,50,USD,upsell",
                "A,2,-20,USD,upsell",
                "A,2,-5,USD,refund",
                columns="order_id,occurred_at,value,currency,conversion_type",
            )
        ],
        {"A": [30, 85]},
    ),
    "in_the_currency_of_its_order": Case([RATES, orders("A,1,90,EUR", "A,2,-90,EUR")], {"A": [0]}),
    "as_an_event": Case(
        [File("events", table(EVENTS, ("e1,de,CONVERSION,1,v,80,1", "e2,de,CONVERSION,2,v,-30,1")))], {"1": [50]}
    ),
}

# Refunds: a blank amount is none.
MAPPED = {"mapping": {"value": "refunded_total"}}
SALES = orders("A,1,120,USD", "B,1,30,USD", "C,1,50,USD")
REFUNDS = {
    "blank": Case(
        [SALES, refunds("A,2,", "B,2,5.00", columns="order_id,occurred_at,refunded_total", **MAPPED)],
        {"A": [120], "B": [25], "C": [50]},
    ),
    "woo": Case(
        [File("conversions", WOO, {"mapping": {"value": "order_total"}}), File("refunds", WOO, MAPPED)],
        {"101": [120], "102": [0], "103": [45], "104": [0], "105": [60], "106": [90]},
    ),
    "no_column": Case([SALES, refunds("A,2", columns="order_id,occurred_at")], {"A": [0], "B": [30], "C": [50]}),
    "all_blank": Case(
        [SALES, refunds("A,2,", "B,2,", columns="order_id,occurred_at,value")], {"A": [120], "B": [30], "C": [50]}
    ),
    "stated_by_a_flag": Case(
        [SALES, refunds("A,2,,true", "B,2,,false", "C,2,20,", columns="order_id,occurred_at,value,Fully refunded")],
        {"A": [0], "B": [30], "C": [30]},
    ),
    "stated_by_the_reason": Case(
        [
            orders("a,A,1,120,USD", "b,B,1,30,USD", "c,C,1,50,USD", columns=NAMED),
            refunds("A,2,,full", "B,2,,damaged", "C,2,,cancelled", columns="order_id,occurred_at,value,reason"),
        ],
        {"A": [0], "B": [30]},
        [("c", "cancelled")],
    ),
    "partial_without_an_amount": Case(
        [
            SALES,
            refunds("A,2,partially_refunded", "B,2,refunded", columns="order_id,occurred_at,financial_status"),
            refunds("C,2,Partially refunded,", columns="order_id,occurred_at,Financial Status,value"),
        ],
        {"A": [120], "B": [0], "C": [50]},
        failed=["missing_value", "missing_value"],
    ),
    "zero": Case([SALES, refunds("A,2,0,USD", "B,2,0.00,USD")], {"A": [120], "B": [30], "C": [50]}),
    "unknown_orders": Case(
        [
            SALES,
            refunds(
                "r1,X,2,7,USD", "r2,Y,2,,", "r3,Z,2,0,USD", columns="refund_id,order_id,occurred_at,value,currency"
            ),
        ],
        {"A": [120], "B": [30], "C": [50]},
        [("r1", "unknown_order")],
    ),
    "an_event_with_a_blank_value": Case(
        [
            File(
                "events",
                table(
                    EVENTS,
                    (
                        "e1,de,CONVERSION,1,v,80,1",
                        "e2,de,REFUND,2,v,,1",
                        "e3,de,CONVERSION,1,v,9,2",
                        "e4,de,REFUND,2,v,4,2",
                    ),
                ),
            )
        ],
        {"1": [80], "2": [5]},
    ),
    "a_negative_amount": Case([SALES, refunds("A,2,-20,USD")], {"A": [100], "B": [30], "C": [50]}),
}

# Exports of shops state the sum of an order's refunds, each time anew.
TOTAL = "order_id,occurred_at,refunded_total,currency"
TOTALS = {
    "a_later_export": Case(
        [SALES, refunds("A,1,10,USD", columns=TOTAL), refunds("A,1,30,USD", columns=TOTAL)],
        {"A": [90], "B": [30], "C": [50]},
    ),
    "the_webhook_states_the_same_refunds": Case(
        [SALES, refunds("A,2,10,USD", "A,3,5,USD", "B,3,5,USD"), refunds("A,1,15,USD", "B,1,20,USD", columns=TOTAL)],
        {"A": [105], "B": [10], "C": [50]},
    ),
    "the_webhook_knows_more": Case(
        [SALES, refunds("A,2,60,USD"), refunds("A,1,15,USD", "A,1,40,USD", columns=TOTAL)],
        {"A": [60], "B": [30], "C": [50]},
    ),
    "a_blank_total": Case(
        [SALES, refunds("A,1,", "B,1,12", columns="order_id,occurred_at,refunded_total")],
        {"A": [120], "B": [18], "C": [50]},
    ),
    "a_single_refund_in_the_currency_of_the_buyer": Case(
        [
            orders("A,1,100,USD,90,EUR", "B,1,100,USD,90,EUR", "C,1,50,USD,7400,JPY", columns=PAID),
            refunds("A,2,18,EUR", "B,2,18,EUR", "B,3,9,EUR", "C,2,7400,JPY"),
            refunds("A,1,20,USD", "B,1,20,USD", "B,1,45,USD", "C,1,50,USD", columns=TOTAL),
        ],
        {"A": [80], "B": [55], "C": [0]},
    ),
    "a_total_in_the_currency_of_the_buyer": Case(
        [
            orders("A,1,100,USD,90,EUR", "B,1,100,USD,90,EUR", columns=PAID),
            refunds("A,2,20,USD", "B,2,20,USD"),
            refunds("A,1,18,EUR", "B,1,90,EUR", columns=TOTAL),
        ],
        {"A": [80], "B": [0]},
    ),
    "a_single_refund_that_knows_the_order": Case(
        [
            orders("A,1,100,USD"),
            refunds("A,2,18,EUR,90", columns="order_id,occurred_at,value,currency,order_value"),
            refunds("A,1,20,USD", columns=TOTAL),
        ],
        {"A": [80]},
    ),
    "a_report_without_a_currency": Case(
        [
            RATES,
            orders("A,1,100,EUR", "B,1,100,EUR", "C,1,100,", "D,1,100,"),
            refunds("A,2,20,", "B,2,20,EUR", "C,2,20,", "D,2,20,USD"),
            refunds("A,1,20,EUR", "B,1,20,", "C,1,20,USD", "D,1,20,", columns=TOTAL),
        ],
        {"A": [88], "B": [88], "C": [80], "D": [80]},
    ),
    "a_total_of_no_order": Case([refunds("r,X,1,9,USD", columns=f"refund_id,{TOTAL}")], {}, [("r", "unknown_order")]),
}

# Exports, read by their layouts: what the shop, its payment provider and their webhooks report is one order.
WOO_EXPORT = """\
order_id,order_date,status,order_total,refunded_total,order_currency,transaction_id
7,2026-07-01 10:00,completed,100.00,20.00,USD,pi_7
8,2026-07-02 10:00,refunded,50.00,,USD,ch_8
"""
STRIPE_COLUMNS = "id,Created (UTC),Amount,Amount Refunded,Currency,Status,PaymentIntent ID"
STRIPE_EXPORT = f"""\
{STRIPE_COLUMNS}
ch_7,2026-07-01 10:01,100.00,20.00,usd,Paid,pi_7
ch_8,2026-07-02 10:01,50.00,50.00,usd,Refunded,pi_8
ch_9,2026-07-03 10:01,30.00,10.00,usd,Partially refunded,pi_9
"""
SHOPIFY_EXPORT = """\
Name,Created at,Financial Status,Total,Currency,Refunded Amount,Cancelled at,Id
#1,2026-07-01 10:00:00 +0000,partially_refunded,100.00,USD,44.00,,1
#2,2026-07-01 12:00:00 +0000,paid,70.00,USD,0.00,2026-07-02 12:00:00 +0000,2
"""
SHOPIFY_EXPORT_EDITED = """\
Name,Created at,Financial Status,Total,Currency,Refunded Amount,Cancelled at,Id
#1,2026-07-01 10:00:00 +0000,partially_refunded,100.00,USD,10.00,,1
"""
SHOPIFY_EXPORT_ABROAD = """\
Name,Created at,Financial Status,Total,Currency,Refunded Amount,Cancelled at,Id
#1,2026-07-01 10:00:00 +0000,partially_refunded,100.00,USD,20.00,,1
"""

BALANCE = (
    "balance_transaction_id,created_utc,reporting_category,gross,fee,net,currency,source_id,charge_id,payment_intent_id,"
    "customer_facing_amount,customer_facing_currency"
)


def export(text: str, **options: Any) -> list[File]:
    return [File(kind, text, options) for kind in ("conversions", "refunds")]


def balance(*lines: str, number: int = 1) -> list[File]:
    """Return Stripe's balance report. A line has the day of July, the category, gross, source, charge and intent."""
    rows = [BALANCE]
    for line in lines:
        day, category, gross, source, charge_id, intent_id, *paid = line.split(",")
        day, _, time = day.partition(" ")
        cells = (
            f"txn_{number}_{source}_{category}",
            f"2026-07-{int(day):02} {time or '08:10:11'}",
            category,
            gross,
            "0.00",
            gross,
        )
        rows.append(",".join((*cells, "usd", source, charge_id, intent_id, *(paid or ("", "")))))
    return export("\n".join(rows) + "\n")


# Currencies: a refund is a share of its order, never a rate of the market.
CURRENCIES = {
    "paid_in_another_currency": Case(
        [RATES, orders("A,1,100,USD,88,EUR", columns=PAID), refunds("A,2,88,EUR")], {"A": [0]}
    ),
    "without_any_rate": Case([orders("A,1,100,USD,15000,JPY", columns=PAID), refunds("A,2,15000,JPY")], {"A": [0]}),
    "half_of_it": Case([orders("A,1,100,USD,88,EUR", columns=PAID), refunds("A,2,44,EUR")], {"A": [50]}),
    "in_both_currencies": Case(
        [orders("A,1,100,USD,88,EUR", columns=PAID), refunds("A,2,44,EUR", "A,3,50,USD")], {"A": [0]}
    ),
    "thirds": Case(
        [
            RATES,
            orders("A,1,100,EUR,1040,SEK", columns=PAID),
            refunds("A,2,346.67,SEK", "A,3,346.67,SEK", "A,4,346.66,SEK"),
        ],
        {"A": [0]},
    ),
    "the_pixel_knows_another_currency": Case(
        [RATES, orders("A,1,88,EUR"), orders("A,2,100,USD"), refunds("A,3,100,USD")], {"A": [0]}
    ),
    "the_webhook_knows_the_payment": Case(
        [orders("A,1,100,USD"), orders("A,2,100,USD,88,EUR", columns=PAID), refunds("A,3,88,EUR")], {"A": [0]}
    ),
    "no_currency_is_the_orders": Case([RATES, orders("A,1,100,EUR"), refunds("A,2,100,")], {"A": [0]}),
    "the_refund_knows_the_order": Case(
        [orders("A,1,100,USD"), refunds("A,2,44,EUR,88", columns="order_id,occurred_at,value,currency,order_value")],
        {"A": [50]},
    ),
    "an_unknown_currency": Case(
        [
            RATES,
            orders("A,1,100,USD"),
            refunds("r,A,2,88,EUR", columns="refund_id,order_id,occurred_at,value,currency"),
        ],
        {"A": [100]},
        [("r", "unknown_currency")],
    ),
    "cents_do_not_remain": Case(
        [RATES, orders("A,1,33.33,EUR"), refunds("A,2,11.11,EUR", "A,3,22.22,EUR")], {"A": [0]}
    ),
}


# Webhooks: the rows of deliveries, imported as files of the webhook's site.
def delivered(*reports: Any) -> list[File]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for report in reports:
        if report.row:
            rows.setdefault(report.kind, []).append({"site_id": "de", **report.row})
    return [File(kind, "\n".join(map(json.dumps, found)) + "\n") for kind, found in rows.items()]


def stripe_event(kind: str, before: int | None = None, **members: Any) -> Any:
    event = {"id": f"evt_{kind}_{members['id']}_{before}", "type": kind, "created": 1_783_000_000}
    event["api_version"] = members.pop("api_version", None)
    event["data"] = {
        "object": {"created": 1_782_900_000, **members},
        "previous_attributes": {"amount_refunded": before},
    }
    return stripe.report(json.dumps(event).encode())


def session(name: str, amount: int, currency: str = "usd", **members: Any) -> Any:
    paid = {"payment_status": "paid", "amount_total": amount, "currency": currency}
    return stripe_event("checkout.session.completed", id=name, **paid, **members)


def invoice(name: str, amount: int, reason: str = "subscription_create", **members: Any) -> Any:
    paid = {"amount_paid": amount, "currency": "usd", "billing_reason": reason}
    return stripe_event("invoice.paid", id=name, **paid, **members)


def intent(name: str, amount: int, currency: str = "usd", **members: Any) -> Any:
    return stripe_event("payment_intent.succeeded", id=name, amount_received=amount, currency=currency, **members)


def invoice_payment(name: str, invoice_id: str, paid_at: int = 1_782_900_000, **payment: str) -> Any:
    paid = {"status": "paid", "payment": payment, "status_transitions": {"paid_at": paid_at}}
    return stripe_event("invoice_payment.paid", id=name, invoice=invoice_id, **paid)


def charge(name: str, refunded: int, currency: str = "usd", before: int = 0, **members: Any) -> Any:
    return stripe_event("charge.refunded", before, id=name, amount_refunded=refunded, currency=currency, **members)


def money_set(shop: str, paid: str, currency: str = "EUR") -> dict[str, Any]:
    return {
        "shop_money": {"amount": shop, "currency_code": "USD"},
        "presentment_money": {"amount": paid, "currency_code": currency},
    }


def shopify_order(name: int, total: str, **members: Any) -> Any:
    order = {"id": name, "created_at": "2026-07-01T10:00:00Z", "total_price": total, "currency": "USD"}
    return shopify.report(json.dumps(order | {"financial_status": "paid"} | members).encode(), "orders/paid")


def shopify_refund(name: int, order: int, amount: str, currency: str = "EUR", paid: Any = None, **members: Any) -> Any:
    money = {"amount": amount, "currency": currency, "amount_set": paid}
    transaction = {"id": name, "kind": "refund", "status": "success", **money}
    refund = {"id": name, "order_id": order, "created_at": "2026-07-03T10:00:00Z", "transactions": [transaction]}
    return shopify.report(json.dumps(refund | members).encode(), "refunds/create")


# Since 2025-03-31.basil, an invoice does not name its payment, and a charge does not name its invoice.
INVOICE = (
    invoice("in_1", 2990, "subscription_cycle", subscription="sub_1"),
    invoice_payment("inpay_1", "in_1", payment_intent="pi_1"),
)
INVOICE_INTENT = intent("pi_1", 2990, latest_charge="ch_1")
INVOICE_REFUND = charge("ch_1", 1000, payment_intent="pi_1")
INVOICES = {
    f"stripe_invoice_{number}": Case(delivered(*reports, INVOICE_REFUND), {"in_1": [19.9]})
    for number, reports in enumerate((*permutations(INVOICE), *permutations((*INVOICE, INVOICE_INTENT))))
} | {
    "stripe_invoice_of_an_earlier_intent": Case(
        delivered(
            *INVOICE,
            intent("pi_1", 2990, created=1_782_899_000),
            stripe_event(
                "charge.dispute.closed", id="dp_1", status="lost", amount=2990, currency="usd", payment_intent="pi_1"
            ),
        ),
        {"pi_1": [0]},
    ),
    "stripe_invoice_named_by_the_intent": Case(
        delivered(
            INVOICE[0],
            intent("pi_1", 2990, payment_details={"order_reference": "in_1"}),
            INVOICE_REFUND,
        ),
        {"in_1": [19.9]},
    ),
    "stripe_invoice_of_a_charge": Case(
        delivered(INVOICE[0], invoice_payment("inpay_1", "in_1", charge="ch_1"), charge("ch_1", 1000)),
        {"in_1": [19.9]},
    ),
    "stripe_invoice_of_two_payments": Case(
        delivered(
            invoice_payment("inpay_1", "in_1", 1_782_890_000, payment_intent="pi_1"),
            invoice_payment("inpay_2", "in_1", payment_intent="pi_2"),
            INVOICE[0],
            INVOICE_REFUND,
            charge("ch_2", 500, payment_intent="pi_2"),
        ),
        {"in_1": [14.9]},
    ),
    "stripe_invoice_of_two_payments_with_their_intents": Case(
        delivered(
            intent("pi_1", 1490, created=1_782_880_000, latest_charge="ch_1"),
            invoice_payment("inpay_1", "in_1", 1_782_880_001, payment_intent="pi_1"),
            intent("pi_2", 1500, created=1_782_890_000, latest_charge="ch_2"),
            invoice_payment("inpay_2", "in_1", 1_782_890_001, payment_intent="pi_2"),
            INVOICE[0],
            charge("ch_2", 500, payment_intent="pi_2"),
        ),
        {"pi_1": [24.9]},
    ),
    "stripe_invoice_with_the_id_of_the_shop": Case(
        delivered(
            *(
                report
                for order in ("A-1", "z-1")
                for report in (
                    invoice(f"in_{order}", 2990, "subscription_cycle", metadata={"order_id": order}),
                    invoice_payment(f"inpay_{order}", f"in_{order}", payment_intent=f"pi_{order}"),
                    intent(f"pi_{order}", 2990, latest_charge=f"ch_{order}"),
                    charge(f"ch_{order}", 1000, payment_intent=f"pi_{order}"),
                )
            )
        ),
        {"A-1": [19.9], "z-1": [19.9]},
    ),
    "stripe_subscription_with_the_id_of_the_shop": Case(
        delivered(
            session("cs_1", 2990, invoice="in_1", subscription="sub_1", metadata={"order_id": "z-1"}),
            *INVOICE,
            INVOICE_INTENT,
            INVOICE_REFUND,
        ),
        {"z-1": [19.9]},
    ),
    "stripe_payment_without_its_invoice": Case(delivered(INVOICE[1]), {"in_1": [0]}),
    "stripe_two_sessions_of_one_payment": Case(
        delivered(
            session("cs_1", 2900, payment_intent="pi_1", metadata={"order_id": "W-1"}),
            session("cs_2", 2900, created=1_782_900_060, payment_intent="pi_1", metadata={"order_id": "W-2"}),
            charge("ch_1", 900, payment_intent="pi_1"),
        ),
        {"W-1": [20]},
    ),
    "payments_of_two_sites_with_the_same_order_id": Case(
        [
            orders("7,1,100,de,T-1", "7,1,60,fr,T-2", columns="order_id,occurred_at,value,site_id,payment_ids"),
            refunds("T-2,2,10,fr,T-2", columns="order_id,occurred_at,value,site_id,payment_ids"),
        ],
        {"7": [50, 100]},
    ),
}

# Only the payment of the invoice connects the session and the payment intent, whichever order id is the smallest.
ORDER_IDS = {
    f"stripe_three_order_ids_{'_'.join(ids)}": Case(
        delivered(
            session("cs_1", 2900, invoice="in_1", metadata={"order_id": ids[0]}),
            invoice("in_1", 2900, created=1_782_900_010, metadata={"order_id": ids[1]}),
            invoice_payment("inpay_1", "in_1", 1_782_900_020, payment_intent="pi_1"),
            intent("pi_1", 2900, created=1_782_900_030, latest_charge="ch_1", metadata={"order_id": ids[2]}),
            charge("ch_1", 900, payment_intent="pi_1"),
        ),
        {ids[0]: [20]},
    )
    for ids in permutations(("A", "B", "Z"))
}

IN_EUR = {"total_price_set": money_set("100.00", "88.00")}
WEBHOOKS = {
    "shopify_ratio": Case(
        [*delivered(shopify_order(1, "100.00", **IN_EUR), shopify_refund(2, 1, "88.00")), RATES], {"1": [0]}
    ),
    "shopify_lines": Case(
        delivered(
            shopify_order(1, "100.00", **IN_EUR),
            shopify_refund(
                2,
                1,
                "44.00",
                refund_line_items=[
                    {"subtotal_set": money_set("45.00", "40.00"), "total_tax_set": money_set("2.00", "1.00")}
                ],
                order_adjustments=[
                    {"amount_set": money_set("-3.50", "-3.00"), "tax_amount_set": money_set("0.00", "0.00")}
                ],
            ),
        ),
        {"1": [49.5]},
    ),
    "shopify_store_credit": Case(
        delivered(
            shopify_order(1, "100.00", **IN_EUR),
            shopify_refund(2, 1, "22.00", refund_line_items=[{"subtotal_set": money_set("100.00", "88.00")}]),
        ),
        {"1": [75]},
    ),
    "shopify_transactions": Case(
        delivered(shopify_order(1, "100.00"), shopify_refund(2, 1, "44.00", paid=money_set("60.00", "44.00"))),
        {"1": [40]},
    ),
    "stripe_by_invoice": Case(
        delivered(
            session("cs_1", 2900, invoice="in_1", subscription="sub_1"),
            charge("ch_1", 2900, payment_intent="pi_1", invoice="in_1"),
        ),
        {"cs_1": [0]},
    ),
    "stripe_by_intent": Case(
        delivered(
            session("cs_1", 4200, payment_intent="pi_1", metadata={"order_id": "W-42"}),
            charge("ch_1", 4200, payment_intent="pi_1"),
        ),
        {"W-42": [0]},
    ),
    "stripe_by_charge": Case(
        delivered(intent("pi_1", 4200, latest_charge="ch_1"), charge("ch_1", 1200)), {"pi_1": [30]}
    ),
    "stripe_by_subscription": Case(
        delivered(session("cs_1", 2900, subscription="sub_1"), charge("ch_1", 2900, subscription="sub_1")),
        {"cs_1": [0]},
    ),
    "stripe_refund_of_a_renewal": Case(
        delivered(
            session("cs_1", 2900, invoice="in_1", subscription="sub_1"),
            invoice("in_2", 2990, "subscription_cycle", subscription="sub_1", payment_intent="pi_2"),
            charge("ch_2", 2990, payment_intent="pi_2", subscription="sub_1"),
        ),
        {"cs_1": [29], "in_2": [0]},
    ),
    "stripe_counts_a_payment_once": Case(
        delivered(
            session("cs_1", 2900, invoice="in_1", subscription="sub_1"),
            intent("pi_1", 2900, latest_charge="ch_1"),
            invoice("in_1", 2900),
            invoice_payment("inpay_1", "in_1", payment_intent="pi_1"),
            session("cs_2", 1500, payment_intent="pi_2", metadata={"order_id": "W-1"}),
            intent("pi_2", 1500),
            charge("ch_2", 500, payment_intent="pi_2"),
        ),
        {"cs_1": [29], "W-1": [10]},
    ),
    "stripe_renewals": Case(
        delivered(
            invoice("in_1", 2900, subscription="sub_1"),
            invoice("in_2", 2990, "subscription_cycle", subscription="sub_1", payment_intent="pi_2"),
            intent("pi_2", 2990),
            invoice("in_3", 0, "subscription_cycle", subscription="sub_1"),
            intent("pi_9", 2000, metadata={"order_id": "PI-1"}),
        ),
        {"in_1": [29], "in_2": [29.9], "PI-1": [20]},
    ),
    "stripe_captures_a_part": Case(
        delivered(
            intent("pi_1", 8000, latest_charge="ch_1"),
            *(
                charge("ch_1", after, before=before, amount=10000, amount_captured=8000, api_version="2024-06-20")
                for before, after in ((0, 2000), (2000, 3000))
            ),
        ),
        {"pi_1": [70]},
    ),
    "stripe_settles_in_another_currency": Case(
        delivered(
            session(
                "cs_1",
                8800,
                "eur",
                payment_intent="pi_1",
                currency_conversion={"amount_total": 10000, "source_currency": "usd"},
            ),
            charge("ch_1", 8800, "eur", payment_intent="pi_1", amount=8800),
            session("cs_2", 10000, payment_intent="pi_2"),
            charge("ch_2", 520_00, "sek", payment_intent="pi_2", amount=1040_00),
        ),
        {"pi_1": [0], "pi_2": [50]},
    ),
}

EXPORTS = {
    "of_shop_and_payments": Case(
        [
            *export(WOO_EXPORT, timezone="UTC"),
            *export(STRIPE_EXPORT),
            *delivered(intent("pi_9", 3000, latest_charge="ch_9"), charge("ch_9", 1000, payment_intent="pi_9")),
        ],
        {"7": [80], "8": [0], "pi_9": [20]},
    ),
    "of_shopify": Case(
        [
            *export(SHOPIFY_EXPORT, site="de"),
            *delivered(
                shopify_order(1, "100.00"),
                shopify_refund(2, 1, "44.00", "USD", paid=money_set("44.00", "44.00", "USD")),
            ),
        ],
        {"1": [56]},
        [("", "cancelled")],
    ),
    "of_shopify_migrated": Case(
        [
            *export(SHOPIFY_EXPORT_EDITED, site="de"),
            *delivered(
                shopify_order(1, "100.00", processed_at="2019-03-08T18:20:11+01:00"),
                shopify_refund(9, 1, "10.00", "USD"),
            ),
        ],
        {"1": [90]},
    ),
    "of_shopify_edited_before_payment": Case(
        [
            *export(SHOPIFY_EXPORT_EDITED, site="de"),
            *delivered(
                shopify_order(1, "100.00", current_total_price="60.00", refunds=[{"id": 8, "transactions": []}]),
                shopify_refund(8, 1, "40.00", "USD", transactions=[]),
                shopify_refund(9, 1, "10.00", "USD"),
            ),
        ],
        {"1": [50]},
    ),
    "of_shopify_to_a_buyer_abroad": Case(
        [
            *export(SHOPIFY_EXPORT_ABROAD, site="de"),
            *delivered(
                shopify_order(1, "100.00", total_price_set=money_set("100.00", "90.00")), shopify_refund(2, 1, "18.00")
            ),
        ],
        {"1": [80]},
    ),
}

# A direct debit is in Stripe's balance before the bank accepts it.
DEBIT = "1,charge,64.00,py_1,py_1,pi_1"
FAILURE = "5,charge_failure,-64.00,pyr_1,py_1,pi_1"
PAID_LATER = "8,charge,64.00,ch_2,ch_2,pi_1"
FAILURES = {
    "failed_debit": Case(balance(DEBIT, FAILURE), {}),
    "failed_debit_in_a_later_file": Case([*balance(DEBIT), *balance(FAILURE)], {}),
    "failed_debit_in_an_earlier_file": Case([*balance(FAILURE), *balance(DEBIT)], {}),
    "failed_debit_of_the_older_type": Case(
        balance("1,payment,64.00,py_1,py_1,pi_1", "5,payment_failure_refund,-64.00,py_1,,"), {}
    ),
    "failed_debit_and_a_second_attempt": Case(
        balance(DEBIT, FAILURE, PAID_LATER),
        {"pi_1": [64]},
    ),
    "failed_debit_and_a_second_attempt_by_webhook": Case(
        [*balance(DEBIT, FAILURE), *delivered(intent("pi_1", 6400, latest_charge="ch_2"))], {"pi_1": [64]}
    ),
    "failed_debits": Case(
        balance(DEBIT, FAILURE, "8,charge,64.00,py_2,py_2,pi_1", "12,charge_failure,-64.00,pyr_2,py_2,pi_1"),
        {},
    ),
    "failed_debit_of_another_amount": Case(
        balance("1,charge,70.00,py_1,py_1,pi_1", "5,charge_failure,-70.00,pyr_1,py_1,pi_1", PAID_LATER), {"pi_1": [64]}
    ),
    "failed_debit_of_another_amount_and_a_refund": Case(
        [
            *balance("1,charge,70.00,py_1,py_1,pi_1", PAID_LATER, "12,refund,-32.00,re_1,ch_2,pi_1"),
            *balance("5,charge_failure,-70.00,pyr_1,py_1,pi_1"),
        ],
        {"pi_1": [32]},
    ),
    "failed_debit_of_another_currency": Case(
        [
            RATES,
            *balance(
                "1,charge,77.00,py_1,py_1,pi_1,70.00,eur",
                "5,charge_failure,-77.00,pyr_1,py_1,pi_1",
                "8,charge,66.00,ch_2,ch_2,pi_1,60.00,eur",
                "12,refund,-34.00,re_1,ch_2,pi_1,-30.00,eur",
            ),
        ],
        {"pi_1": [33]},
    ),
    "debit_taken_back_after_it_was_paid": Case(
        [
            *balance(DEBIT, "9,payment_reversal,-64.00,pyr_1,py_1,pi_1"),
            *delivered(session("cs_1", 6400, payment_intent="pi_1")),
        ],
        {"pi_1": [0]},
    ),
    "failed_debit_beside_a_deposit": Case(
        [
            *delivered(
                session("cs_1", 5000, created=1_782_800_000, payment_intent="pi_0", metadata={"order_id": "pi_1"})
            ),
            *balance(DEBIT, FAILURE),
        ],
        {"pi_1": [50]},
    ),
}

# The webhook and Stripe's balance report have different ids of one refund.
SALE = "1 10:00:00,charge,50.00,ch_1,ch_1,pi_1"
REFUND = "2 17:46:41,refund,-10.00,re_1,ch_1,pi_1"


def refunded(amount: int, before: int = 0, created: int = 1_783_014_400, currency: str = "usd") -> Any:
    """Return the webhook of a refund; created: by default 2 July, 17:46:40 UTC. amount, before: cents."""
    charge_object = {"id": "ch_1", "amount_refunded": before + amount, "currency": currency, "payment_intent": "pi_1"}
    data = {"object": charge_object, "previous_attributes": {"amount_refunded": before}}
    event = {"id": f"evt_{before}_{created}", "type": "charge.refunded", "created": created, "data": data}
    return stripe.report(json.dumps(event).encode())


REPEATED = {
    "stripe_refund_in_both": Case([*balance(SALE, REFUND), *delivered(refunded(1000))], {"pi_1": [40]}),
    "stripe_refund_in_both_of_a_webhook_order": Case(
        [*delivered(intent("pi_1", 5000, latest_charge="ch_1"), refunded(1000)), *balance(REFUND)], {"pi_1": [40]}
    ),
    "stripe_refunds_of_missing_days": Case(
        [*balance(SALE, REFUND, "6,refund,-5.00,re_2,ch_1,pi_1"), *delivered(refunded(1000))], {"pi_1": [35]}
    ),
    "stripe_refunds_of_one_amount": Case(
        [*balance(SALE, REFUND, "6,refund,-10.00,re_2,ch_1,pi_1"), *delivered(refunded(1000))], {"pi_1": [30]}
    ),
    "stripe_refunds_of_one_amount_and_day": Case(
        [
            *balance(SALE, REFUND, "2 18:00:00,refund,-10.00,re_2,ch_1,pi_1"),
            *delivered(refunded(1000), refunded(1000, 1000, 1_783_014_400 + 800)),
        ],
        {"pi_1": [30]},
    ),
    "stripe_refunds_of_one_amount_and_day_and_one_webhook": Case(
        [*balance(SALE, REFUND, "2 18:00:00,refund,-10.00,re_2,ch_1,pi_1"), *delivered(refunded(1000))], {"pi_1": [30]}
    ),
    "stripe_refunds_on_other_days": Case(
        [*balance(SALE, "6,refund,-10.00,re_2,ch_1,pi_1"), *delivered(refunded(1000))], {"pi_1": [30]}
    ),
    "stripe_refund_in_three_places": Case(
        [
            *balance(SALE, REFUND),
            *delivered(refunded(1000)),
            *export(f"{STRIPE_COLUMNS}\nch_1,2026-07-01 10:01,50.00,10.00,usd,Paid,pi_1\n"),
        ],
        {"pi_1": [40]},
    ),
    "stripe_refund_in_the_currency_of_the_customer": Case(
        [
            *balance(
                "1 10:00:00,charge,50.00,ch_1,ch_1,pi_1,45.00,eur", "2 17:46:41,refund,-10.40,re_1,ch_1,pi_1,-9.00,eur"
            ),
            *delivered(refunded(900, currency="eur")),
        ],
        {"pi_1": [40]},
    ),
    "stripe_refund_of_all_at_another_rate": Case(
        balance("1 10:00:00,charge,50.00,ch_1,ch_1,pi_1,45.00,eur", "9,refund,-48.70,re_1,ch_1,pi_1,-45.00,eur"),
        {"pi_1": [0]},
    ),
}

# A dispute counts once it is lost. The balance report has the withdrawal, and the reversal of a dispute that is won.
WITHDRAWAL = "4,dispute,-50.00,dp_1,ch_1,pi_1"
REVERSAL = "25,dispute_reversal,50.00,dp_1,ch_1,pi_1"
DISPUTED = f"{STRIPE_COLUMNS},Dispute Status,Disputed Amount"
DISPUTED_SALE = "ch_1,2026-07-01 10:01,50.00,{refunded},usd,Paid,pi_1,{status},{amount}"


def disputed(status: str, amount: str = "50.00", refunded: str = "0.00") -> list[File]:
    return export(f"{DISPUTED}\n{DISPUTED_SALE.format(status=status, amount=amount, refunded=refunded)}\n")


def dispute(status: str, amount: int = 5000) -> Any:
    money = {"amount": amount, "currency": "usd", "charge": "ch_1", "payment_intent": "pi_1"}
    return stripe_event("charge.dispute.closed", id="dp_1", status=status, **money)


OLDER = "~dispute_of_the_older_type"  # the ids in a description get the name of their case, too
DISPUTES = {
    "dispute_lost_in_the_export": Case(disputed("lost"), {"pi_1": [0]}),
    "dispute_won_in_the_export": Case(disputed("won"), {"pi_1": [50]}),
    "dispute_open_in_the_export": Case(disputed("needs_response"), {"pi_1": [50]}),
    "dispute_of_a_part": Case(disputed("lost", "20.00"), {"pi_1": [30]}),
    "dispute_after_a_refund": Case(disputed("lost", "20.00", "10.00"), {"pi_1": [20]}),
    "dispute_in_export_and_webhook": Case(
        [*disputed("lost", "20.00", "10.00"), *delivered(refunded(1000), dispute("lost", 2000))], {"pi_1": [20]}
    ),
    "dispute_in_the_balance": Case(balance(SALE, WITHDRAWAL), {"pi_1": [0]}),
    "dispute_won_in_the_balance": Case(balance(SALE, WITHDRAWAL, REVERSAL), {"pi_1": [50]}),
    "dispute_won_in_a_later_file": Case([*balance(SALE, WITHDRAWAL), *balance(REVERSAL)], {"pi_1": [50]}),
    "dispute_won_and_withdrawn_again": Case(
        [*balance(SALE, WITHDRAWAL, REVERSAL), *balance("28,dispute,-20.00,dp_1,ch_1,pi_1", number=2)], {"pi_1": [30]}
    ),
    "dispute_of_the_older_type": Case(
        export(
            "id,Type,Source,Amount,Fee,Net,Currency,Created (UTC),Description\n"
            "txn_1,charge,ch_1,50.00,0,50.00,usd,2026-07-01 10:00,Order 71\n"
            "txn_2,charge,ch_2,40.00,0,40.00,usd,2026-07-01 11:00,Order 72\n"
            f"txn_3,adjustment,dp_1,-50.00,15,-65.00,usd,2026-07-04 11:00,Chargeback withdrawal for ch_1{OLDER}\n"
            f"txn_4,adjustment,dp_2,-40.00,15,-55.00,usd,2026-07-04 12:00,Chargeback withdrawal for ch_2{OLDER}\n"
            f"txn_5,adjustment,dp_2,40.00,-15,55.00,usd,2026-07-24 12:00,Chargeback reversal for ch_2{OLDER}\n",
        ),
        {"ch_1": [0], "ch_2": [40]},
    ),
    "dispute_in_balance_and_webhook": Case(
        [*balance(SALE, "4,dispute,-20.00,dp_1,ch_1,pi_1"), *delivered(dispute("lost", 2000))], {"pi_1": [30]}
    ),
    "dispute_withdrawn_again_and_lost_by_webhook": Case(
        [
            *balance(SALE, "4,dispute,-20.00,dp_1,ch_1,pi_1", "15,dispute_reversal,20.00,dp_1,ch_1,pi_1"),
            *balance("28,dispute,-20.00,dp_1,ch_1,pi_1", number=2),
            *delivered(dispute("lost", 2000)),
        ],
        {"pi_1": [30]},
    ),
    "dispute_in_three_places": Case(
        [
            *balance(SALE, "4,dispute,-20.00,dp_1,ch_1,pi_1"),
            *disputed("lost", "20.00"),
            *delivered(dispute("lost", 2000)),
        ],
        {"pi_1": [30]},
    ),
    "refund_that_failed": Case(balance(SALE, REFUND, "9,refund_failure,10.00,re_1,ch_1,pi_1"), {"pi_1": [50]}),
    "refund_that_failed_in_both": Case(
        [*balance(SALE, REFUND, "9,refund_failure,10.00,re_1,ch_1,pi_1"), *delivered(refunded(1000))], {"pi_1": [50]}
    ),
    "one_of_two_refunds_failed": Case(
        balance(SALE, REFUND, "6,refund,-5.00,re_2,ch_1,pi_1", "9,refund_failure,10.00,re_1,ch_1,pi_1"), {"pi_1": [45]}
    ),
}

# A part of an authorization is captured. Before 2025-03-31.basil, Stripe reports the rest as a refund, which it is not.
AUTHORIZED = "1 10:00:00,charge,100.00,ch_1,ch_1,pi_1"
UNCAPTURED = "1 10:00:00,partial_capture_reversal,-20.00,re_0,ch_1,pi_1"
CAPTURED = intent("pi_1", 8000, created=1_782_899_000, latest_charge="ch_1")
CAPTURED_LATER = intent("pi_1", 8000, created=1_782_900_900, latest_charge="ch_1")
CAPTURE_REFUND = charge(
    "ch_1", 5000, before=2000, amount=10000, amount_captured=8000, payment_intent="pi_1", api_version="2024-06-20"
)


def captured_export(refunded: str) -> list[File]:
    return export(f"{STRIPE_COLUMNS}\nch_1,2026-07-01 10:01,100.00,{refunded},usd,Paid,pi_1\n")


CAPTURES = {
    "captured_part": Case(balance(AUTHORIZED, UNCAPTURED), {"pi_1": [80]}),
    "captured_part_and_its_webhook": Case([*balance(AUTHORIZED, UNCAPTURED), *delivered(CAPTURED)], {"pi_1": [80]}),
    "captured_part_and_a_later_webhook": Case(
        [*balance(AUTHORIZED, UNCAPTURED), *delivered(CAPTURED_LATER)], {"pi_1": [80]}
    ),
    "captured_part_with_a_refund": Case(
        [
            *balance(AUTHORIZED, UNCAPTURED, "2 13:46:50,refund,-30.00,re_1,ch_1,pi_1"),
            *delivered(CAPTURED, CAPTURE_REFUND),
        ],
        {"pi_1": [50]},
    ),
    "captured_part_of_a_buyer_abroad": Case(
        balance(
            "1 10:00:00,charge,100.00,ch_1,ch_1,pi_1,90.00,eur",
            "1 10:00:00,partial_capture_reversal,-20.00,re_0,ch_1,pi_1,-18.00,eur",
            "3,refund,-41.00,re_1,ch_1,pi_1,-36.00,eur",
        ),
        {"pi_1": [40]},
    ),
    "captured_part_since_basil": Case(
        [*balance("1 10:00:00,charge,80.00,ch_1,ch_1,pi_1"), *delivered(CAPTURED)], {"pi_1": [80]}
    ),
    "uncaptured_part_without_its_charge": Case(
        [*balance(UNCAPTURED), *delivered(CAPTURED)], {"pi_1": [80]}, failed=["unexpected_value"]
    ),
    "captured_part_in_the_export": Case(captured_export("20.00"), {"pi_1": [80]}),
    "captured_part_in_export_and_webhook": Case([*captured_export("20.00"), *delivered(CAPTURED)], {"pi_1": [80]}),
    "captured_part_in_export_and_later_webhook": Case(
        [*captured_export("20.00"), *delivered(CAPTURED_LATER)], {"pi_1": [80]}
    ),
    "captured_part_in_export_and_webhook_with_a_refund": Case(
        [*captured_export("50.00"), *delivered(CAPTURED, CAPTURE_REFUND)], {"pi_1": [50]}
    ),
    "captured_part_in_two_exports_and_a_webhook": Case(
        [*captured_export("20.00"), *captured_export("50.00"), *delivered(CAPTURED)], {"pi_1": [50]}
    ),
    "captured_part_in_export_and_webhook_since_basil": Case(
        [*captured_export("30.00"), *delivered(CAPTURED, CAPTURE_REFUND)], {"pi_1": [50]}
    ),
    "captured_part_of_a_buyer_abroad_in_export_and_balance": Case(
        [
            *balance(
                "1 10:00:00,charge,110.00,ch_1,ch_1,pi_1,100.00,eur",
                "1 10:00:00,partial_capture_reversal,-22.00,re_0,ch_1,pi_1,-20.00,eur",
                "3,refund,-33.90,re_1,ch_1,pi_1,-30.00,eur",
            ),
            *export(f"{STRIPE_COLUMNS}\nch_1,2026-07-01 10:01,100.00,50.00,eur,Paid,pi_1\n"),
        ],
        {"pi_1": [55]},
    ),
    "captured_part_in_three_places": Case(
        [
            *balance(AUTHORIZED, UNCAPTURED, "2 13:46:50,refund,-30.00,re_1,ch_1,pi_1"),
            *captured_export("50.00"),
            *delivered(CAPTURED, CAPTURE_REFUND),
        ],
        {"pi_1": [50]},
    ),
}

# PayPal withdraws money for a chargeback or a claim, and returns it if the seller wins. A hold is no withdrawal.
PAYPAL = "Date,Time,TimeZone,Type,Status,Currency,Gross,Transaction ID,Reference Txn ID"


def paypal(*lines: str) -> list[File]:
    """Return PayPal's activity. A line has the day of July, the type, gross, the transaction and its reference."""
    rows = [line.split(",") for line in lines]
    texts = [
        f"07/{int(day):02}/2026,10:00:00,UTC,{kind},Completed,USD,{gross},{name},{reference}"
        for day, kind, gross, name, reference in rows
    ]
    return export("\n".join((PAYPAL, *texts)) + "\n", dayfirst=False)


SOLD = "1,Express Checkout Payment,50.00,T1,"
HELD = "14,Hold on Balance for Dispute Investigation,-50.00,T2,T1"
FREED = "20,Cancellation of Hold for Dispute Resolution,50.00,T3,T1"
CHARGEBACK = "20,Chargeback,-50.00,T4,T1"
CHARGEBACK_FEE = "20,Chargeback Fee,-20.00,T5,T1"
CHARGEBACK_REVERSAL = "25,Chargeback Reversal,50.00,T6,T1"
WOO_PAYPAL = """\
order_id,date,status,order_total,refunded_total,order_currency,transaction_id
7,2026-07-01 09:59:58,completed,50.00,{refunded},USD,T1
"""
LOST = (SOLD, HELD, FREED, CHARGEBACK, CHARGEBACK_FEE)
PAYPAL_DISPUTES = {
    "paypal_dispute_open": Case(paypal(SOLD, HELD), {"T1": [50]}),
    "paypal_dispute_closed": Case(paypal(SOLD, HELD, FREED), {"T1": [50]}),
    "paypal_chargeback": Case(paypal(*LOST), {"T1": [0]}),
    "paypal_chargeback_won": Case(paypal(*LOST, CHARGEBACK_REVERSAL), {"T1": [50]}),
    "paypal_chargeback_won_in_an_earlier_file": Case([*paypal(CHARGEBACK_REVERSAL), *paypal(*LOST)], {"T1": [50]}),
    "paypal_chargeback_won_by_its_own_id": Case(paypal(*LOST, "25,Chargeback Reversal,50.00,T6,T4"), {"T1": [50]}),
    "paypal_second_chargeback": Case(paypal(*LOST, CHARGEBACK_REVERSAL, "28,Chargeback,-50.00,T7,T1"), {"T1": [0]}),
    "paypal_chargeback_won_in_part": Case(paypal(*LOST, "25,Chargeback Reversal,20.00,T6,T1"), {"T1": [20]}),
    "paypal_claim_of_a_part": Case(paypal(SOLD, "20,Payment Reversal,-30.00,T4,T1"), {"T1": [20]}),
    "paypal_claim_won": Case(
        paypal(SOLD, "20,Payment Reversal,-30.00,T4,T1", "22,Payment Reversal,30.00,T6,T1"), {"T1": [50]}
    ),
    "paypal_chargeback_after_a_refund": Case(
        paypal(SOLD, "5,Payment Refund,-10.00,T8,T1", "20,Chargeback,-40.00,T4,T1"), {"T1": [0]}
    ),
    "paypal_chargeback_won_after_a_refund": Case(
        paypal(
            SOLD,
            "5,Payment Refund,-10.00,T8,T1",
            "20,Chargeback,-40.00,T4,T1",
            "25,Chargeback Reversal,40.00,T6,T1",
        ),
        {"T1": [40]},
    ),
    "paypal_claim_that_the_shop_records_as_its_refund": Case(
        [
            *export(WOO_PAYPAL.format(refunded="30.00"), timezone="UTC"),
            *paypal(SOLD, "20,Payment Reversal,-30.00,T4,T1"),
        ],
        {"7": [20]},
    ),
    "paypal_claim_beside_a_refund_of_the_shop": Case(
        [
            *export(WOO_PAYPAL.format(refunded="10.00"), timezone="UTC"),
            *paypal(SOLD, "5,Payment Refund,-10.00,T8,T1", "20,Payment Reversal,-30.00,T4,T1"),
        ],
        {"7": [10]},
    ),
    "paypal_money_back_from_a_supplier": Case(
        paypal(SOLD, "3,General Payment,-80.00,T10,", "9,Payment Reversal,80.00,T11,T10"), {"T1": [50]}
    ),
}

CASES = (
    FAILURES
    | PAYPAL_DISPUTES
    | CAPTURES
    | REPEATED
    | DISPUTES
    | VALUES
    | SHOPS
    | NEGATIVE
    | REFUNDS
    | TOTALS
    | CURRENCIES
    | INVOICES
    | ORDER_IDS
    | WEBHOOKS
    | EXPORTS
)
PAYMENTS = ("id", "PaymentIntent ID", "transaction_id", "Transaction ID", "Reference Txn ID")
IDS = (
    *PAYMENTS,
    "order_id",
    "Name",
    "Id",
    "conversion_id",
    "refund_id",
    "balance_transaction_id",
    "source_id",
    "Source",
    "charge_id",
    "payment_intent_id",
    "event_id",
    "payment_ids",
    "customer_id",
    "anon_id",
)


def rows_of(case: str, file: File) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file. Their ids end with the name of the case, so that all cases fit in one org."""
    is_json = file.text.startswith("{")
    for row in map(json.loads, file.text.splitlines()) if is_json else csv.DictReader(file.text.splitlines()):
        for name in IDS:
            if row.get(name):
                row[name] = " ".join(f"{part}~{case}" for part in row[name].split())
        yield row


def write(path: Path, rows: list[dict[str, Any]], *, as_json: bool) -> Path:
    if as_json:
        path = path.with_suffix(".ndjson")
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def warehouse(
    new_home: Callable[[str], Path], project: Project, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Connection]:
    """The marts of all cases. Files with the same columns are one file: a case with two such files has two."""
    home, folder = new_home("orders"), tmp_path_factory.mktemp("files")
    (home / "tributary.yaml").write_text(SETTINGS)
    files = defaultdict(list)
    for name, case in CASES.items():
        seen: Counter = Counter()
        for file in case.files:
            as_json = file.text.startswith("{")
            header = "" if as_json else file.text.partition("\n")[0]
            key = (file.kind, as_json, header, json.dumps(file.options))
            files[*key, seen[key]].extend(rows_of(name, file))
            seen[key] += 1
    settings = load_settings(Home(home))
    with connect(Home(home)) as connection:
        store_settings(connection, settings)
        for number, ((kind, as_json, _, options, _), rows) in enumerate(files.items()):
            path = write(folder / f"{number}.csv", rows, as_json=as_json)
            load_file(connection, kind, path, settings, ImportOptions(**json.loads(options)))
    project.build_models(home, "conversions", "quarantine", "notices")
    with connect(Home(home), read_only=True) as connection:
        yield connection


def test_a_migrated_order_has_the_earlier_time(warehouse: Connection) -> None:
    times = warehouse.execute(
        "select cast(occurred_at as varchar) from marts.conversions where order_id = '1~of_shopify_migrated'"
    )
    assert times.fetchall() == [("2019-03-08 17:20:11",)]


@pytest.mark.parametrize("name", CASES)
def test_orders_have_the_right_money(warehouse: Connection, name: str) -> None:
    case, found = CASES[name], defaultdict(list)
    for order, value in warehouse.execute(
        "select split_part(order_id, '~', 1), value_micros from marts.conversions"
        " where split_part(order_id, '~', 2) = ? order by value_micros",
        [name],
    ).fetchall():
        found[order].append(value / 1_000_000)
    assert found == case.values
    given = {source_id for source_id, _ in case.quarantined}
    rows = warehouse.execute(
        "select split_part(split_part(source_id, '~', 1), ':', -1), reason from marts.quarantine"
        " where split_part(source_id, '~', 2) = ? and reason not in ('duplicate_order', 'refund_exceeds_value')",
        [name],
    ).fetchall()
    assert sorted((each if each in given else "", reason) for each, reason in rows) == sorted(case.quarantined)
    failed = warehouse.execute(
        "select reason from raw.failed_events where contains(payload, ?) order by 1", [f'~{name}"']
    ).fetchall()
    assert [reason for (reason,) in failed] == list(case.failed)


def test_later_payments_of_a_subscription_are_renewals(warehouse: Connection) -> None:
    found = warehouse.execute(
        "select split_part(order_id, '~', 1), reported_type from marts.conversions"
        " where order_id like '%~stripe_renewals' order by 1"
    ).fetchall()
    assert found == [("PI-1", "purchase"), ("in_1", "purchase"), ("in_2", "renewal")]


def test_all_reports_of_an_invoice_have_its_type(warehouse: Connection) -> None:
    found = warehouse.execute(
        "select distinct reported_type from marts.conversions where contains(order_id, '~stripe_invoice_')"
    ).fetchall()
    assert found == [("renewal",)]


def test_notices_count_the_money_that_fits_no_order(warehouse: Connection) -> None:
    notices = dict(warehouse.execute("select topic, message from marts.notices").fetchall())
    assert notices["unknown_order"].startswith("3 refunds (96.00 USD) match no order")
    assert notices["unknown_currency"].startswith("1 refund (88.00 EUR) is in a currency")
    assert notices["ambiguous_order"].startswith("2 reports (100.00 USD) name an order id that several sites have")
    assert notices["negative_value"].startswith("3 negative conversions (150.00 USD) belong to no order with a sale")
    assert "by the rate of 2026-06-01, which is more than 7 days older" in notices["old_exchange_rate"]
