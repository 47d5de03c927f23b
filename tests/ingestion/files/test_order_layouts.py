"""Exports of shops and payment providers: languages, zones, statuses and people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ingestion.files.column_mapping import ImportOptions
from ingestion.files.load import import_file, load_file
from ingestion.loads import Load, LoadReport
from ingestion.privacy.redact import hash_email
from ingestion.settings.model import Org, Settings

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "layouts"
SETTINGS = Settings(orgs=[Org("default", "USD")])
Import = Callable[..., list[LoadReport]]


@pytest.fixture
def load(raw, tmp_path: Path) -> Import:
    def load(text: str, **options: Any) -> list[LoadReport]:
        path = tmp_path / "export.csv"
        path.write_text(text, encoding="utf-8")
        return import_file(raw, path, SETTINGS, ImportOptions(**options))

    return load


def failures(raw) -> list[tuple[int, str]]:
    return raw.execute("select line, reason from raw.failed_events order by line").fetchall()


# ---- PayPal


@pytest.mark.parametrize("language", ["es", "fr", "it", "nl"])
def test_paypal_speaks_the_language_of_the_account(raw, language):
    """Each file has a sale of 1,250.40 at 10:00 UTC, its refund of 50.40, a currency conversion and a pending sale."""
    import_file(raw, FIXTURES / "paypal_activity" / f"Download_{language}.CSV", SETTINGS)
    found = raw.execute(
        "select order_id, occurred_at, value_micros, currency, properties ->> 'email_hash' from raw.conversions"
    )
    assert found.fetchall() == [("T1", datetime(2026, 7, 15, 10), 1_250_400_000, "EUR", hash_email("ada@example.com"))]
    refunds = raw.execute("select order_id, occurred_at, value_micros from raw.refunds").fetchall()
    assert refunds == [("T1", datetime(2026, 7, 16, 10), 50_400_000)]


PAYPAL = """\
"Date","Time","TimeZone","Type","Status","Currency","Gross","From Email Address","Transaction ID"
"7/31/2026","22:00:00","{zone}","Express Checkout Payment","Completed","USD","10.00","ada@example.com","T1"
"""


@pytest.mark.parametrize(
    ("zone", "hour"),
    [("PDT", 5), ("PST", 6), ("CEST", 20), ("AEST", 12), ("America/New_York", 2), ("GMT+05:00", 17), ("UTC", 22)],
)
def test_a_time_of_paypal_is_in_the_zone_of_its_row(raw, load, zone, hour):
    load(PAYPAL.format(zone=zone))
    (moment,) = raw.execute("select occurred_at from raw.conversions").fetchone()
    assert moment.hour == hour
    assert moment.date().isoformat() == ("2026-08-01" if hour < 10 else "2026-07-31")


def test_an_abbreviation_of_several_zones_needs_an_option(raw, load):
    load(PAYPAL.format(zone="IST"))
    assert failures(raw) == [(2, "missing_timezone")]
    load(PAYPAL.format(zone="IST"), timezone="Asia/Kolkata")
    assert raw.execute("select occurred_at from raw.conversions").fetchall() == [(datetime(2026, 7, 31, 16, 30),)]
    assert failures(raw) == []


PAYPAL_CASE = """\
"Date","Time","TimeZone","Type","Status","Currency","Gross","From Email Address","Transaction ID","Reference Txn ID"
"7/31/2026","22:00:00","UTC","{kind}","Completed","USD","{gross}","{email}","T2","T1"
"""


@pytest.mark.parametrize(
    ("kind", "gross", "expected"),
    [
        ("Payment Refund", "-1,250.00", "refund"),
        ("Chargeback", "-1,250.00", "dispute"),
        ("Chargeback Settlement", "-1,250.00", "dispute"),
        ("Payment Reversal", "-1,250.00", "dispute"),
        ("Rückbuchung", "-1,250.00", "dispute"),
        ("Chargeback Reversal", "1,250.00", "reversed"),
        ("Reimbursement of Chargeback", "1,250.00", "reversed"),
        ("Payment Reversal", "1,250.00", "reversed"),
        ("Payment Refund", "1,250.00", None),
        ("Chargeback Fee", "-20.00", None),
        ("Dispute Fee", "-20.00", None),
        ("Fee Reversal", "1.50", None),
        ("Hold on Balance for Dispute Investigation", "-1,250.00", None),
        ("Cancellation of Hold for Dispute Resolution", "1,250.00", None),
        ("Reversal of General Account Hold", "1,250.00", None),
    ],
)
def test_paypal_withdraws_and_returns_the_money_of_a_payment(raw, load, kind, gross, expected):
    load(PAYPAL_CASE.format(kind=kind, gross=gross, email="ada@example.com"))
    assert failures(raw) == []
    found = raw.execute("select order_id, payment_ids, value_micros, coalesce(reason, 'refund') from raw.refunds")
    assert found.fetchall() == ([("T1", "T1", 1_250_000_000, expected)] if expected else [])
    assert raw.execute("select count(*) from raw.conversions").fetchone() == (0,)


# ---- statuses
WOO = """\
order_id,date,status,order_total,refunded_total,order_currency,customer_email
1,2026-07-01 10:00:00,{status},50.00,,USD,ada@example.com
2,2026-07-02 10:00:00,completed,70.00,,USD,bob@example.com
"""


@pytest.mark.parametrize("status", ["pending", "on-hold", "cancelled", "wc-failed", "Storniert", "En attente"])
def test_an_unpaid_order_is_no_order(raw, load, status):
    load(WOO.format(status=status), timezone="UTC")
    assert raw.execute("select order_id from raw.conversions").fetchall() == [("2",)]
    assert failures(raw) == []


def test_an_order_of_an_unexpected_value_fails(raw, load):
    load(WOO.format(status="awaiting-engraving"), timezone="UTC")
    assert raw.execute("select order_id from raw.conversions").fetchall() == [("2",)]
    assert failures(raw) == [(2, "unexpected_value")]


def test_a_partial_refund_without_an_amount_fails(raw, load):
    load(WOO.format(status="partially-refunded"), timezone="UTC")
    assert raw.execute("select count(*) from raw.conversions").fetchone() == (2,)
    assert failures(raw) == [(2, "missing_value")]


def test_a_refunded_order_without_an_amount_returns_everything(raw, load):
    load(WOO.format(status="Rückerstattet"), timezone="UTC")
    refunds = raw.execute("select order_id, value_micros, refunded_total_micros from raw.refunds").fetchall()
    assert refunds == [("1", None, None)]


def test_a_rebuild_reads_orders_as_the_import_did(raw, tmp_path):
    """The archive has the rows of the contract: their zone and their rejection are no longer in the file."""
    path = tmp_path / "export.csv"
    path.write_text(PAYPAL.format(zone="PDT") + PAYPAL.format(zone="PDT").splitlines()[1].replace("Completed", "Odd"))
    import_file(raw, path, SETTINGS, keep=lambda kind: tmp_path / f"{kind}.parquet")
    loaded = raw.execute("select * exclude (_loaded_at, _load_id) from raw.conversions").fetchall()
    assert (len(loaded), failures(raw)) == (1, [(3, "unexpected_value")])
    raw.execute("delete from raw.conversions; delete from raw.failed_events")
    load_file(raw, "conversions", tmp_path / "conversions.parquet", SETTINGS, archived=Load("1", "export.csv", "csv"))
    assert raw.execute("select * exclude (_loaded_at, _load_id) from raw.conversions").fetchall() == loaded
    assert [reason for _, reason in failures(raw)] == ["unexpected_value"]


# ---- WooCommerce Analytics writes the total before and after the refunds into every row of an order.
ANALYTICS = """\
Date,"Order #","N. Revenue (formatted)",Status,Customer,"Customer type",Product(s),"Items sold",Coupon(s),"Net Sales"
"2026-06-04 09:10:11",504,"{both}",completed,"Fritz Example",returning,,0,,{net}
"2026-06-02 21:15:30",502,"{other}",completed,"Hugo Example",new,"1x Oven, 2x Cup",3,,{other_net}
"2026-06-01 12:05:00",504,"{both}",completed,"Fritz Example",returning,"1x Pan",1,,{order_net}
"""


@pytest.mark.parametrize(
    ("both", "other", "amounts"),
    [
        ("$45.00 $30.00", "$1,234.50", (45, 15)),
        ("45,00 € 30,00 €", "1.234,50 €", (45, 15)),
        ("1 045,00 € 45,50 €", "20,00 €", (1045, 999.5)),
        ("¥500 ¥300", "¥1200", (500, 200)),
        ("¥1,200 ¥900", "¥1,234,567", (1200, 300)),
        ("$1.05 $1.00", "$2.00", (1.05, 0.05)),
    ],
)
def test_a_refund_of_woocommerce_analytics_is_what_its_order_lost(raw, load, both, other, amounts):
    total, refunded = (round(amount * 1_000_000) for amount in amounts)
    text = ANALYTICS.format(both=both, other=other, net=-0.04, other_net=1037.39, order_net=0.88)
    load(text, timezone="UTC", constants={"currency": "USD"})
    assert failures(raw) == []
    found = raw.execute("select value_micros from raw.conversions where order_id = '504'").fetchall()
    assert found == [(total,)]
    refunds = raw.execute(
        "select order_id, occurred_at, value_micros, refunded_total_micros from raw.refunds"
    ).fetchall()
    assert refunds == [("504", datetime(2026, 6, 4, 9, 10, 11), None, refunded)]


def test_a_refund_of_woocommerce_analytics_is_its_net_sales_if_the_totals_are_ambiguous(raw, load):
    row = {"both": "1.250 KD 1.000 KD", "net": "-0.250", "other": "2.0005 KD", "other_net": "2", "order_net": "1.25"}
    load(ANALYTICS.format(**row), timezone="UTC", constants={"currency": "KWD"}, decimal="point")
    assert raw.execute("select value_micros, refunded_total_micros from raw.refunds").fetchall() == [(250_000, None)]


def test_a_refund_of_shipping_is_in_the_totals_of_woocommerce_analytics_only(raw, load):
    row = {"both": "$45.00 $40.10", "net": "0", "other": "$7.00", "other_net": "7", "order_net": "37.82"}
    load(ANALYTICS.format(**row), timezone="UTC", constants={"currency": "USD"})
    assert failures(raw) == []
    refunds = raw.execute("select distinct order_id, value_micros, refunded_total_micros from raw.refunds").fetchall()
    assert refunds == [("504", None, 4_900_000)]


# ---- Stripe

CAPTURE = """\
balance_transaction_id;created_utc;reporting_category;gross;fee;net;currency;source_id;charge_id;payment_intent_id
txn_1;2026-07-01 10:00:00;charge;{authorized};0,00;{authorized};eur;ch_1;ch_1;pi_1
txn_2;2026-07-01 10:00:00;partial_capture_reversal;-{released};0,00;-{released};eur;re_1;ch_1;pi_1
txn_3;2026-07-01 11:00:00;charge;1250,5;0,00;1250,5;eur;ch_2;ch_2;pi_2
"""


@pytest.mark.parametrize(
    ("authorized", "released", "captured"),
    [("100,00", "20,00", 80), ("1100,00", "100,01", 999.99), ("100,00", "99,95", 0.05), ("100", "20", 80)],
)
def test_a_charge_of_stripe_has_the_captured_part(raw, load, authorized, released, captured):
    load(CAPTURE.format(authorized=authorized, released=released))
    assert failures(raw) == []
    found = raw.execute("select order_id, value_micros from raw.conversions order by 1").fetchall()
    assert found == [("pi_1", round(captured * 1_000_000)), ("pi_2", 1_250_500_000)]
    assert raw.execute("select count(*) from raw.refunds").fetchone() == (0,)


def test_a_charge_of_stripe_fails_if_its_captured_part_is_unknown(raw, load):
    load(CAPTURE.format(authorized="100,00", released="20"))
    assert failures(raw) == [(2, "bad_money")]


# ---- payment ids
@pytest.mark.parametrize("cell", ["N/A", "Bank transfer paid", "cash", "Paid 03.07.2026 by ada", "0", "-"])
def test_a_word_in_the_column_of_the_payment_is_no_id(raw, load, cell):
    """Orders with one payment id are one order, so that a word would connect the orders of strangers."""
    load(
        "order_id,date,status,order_total,order_currency,transaction_id\n"
        f"901,2026-06-02 10:00,completed,10.00,USD,{cell}\n902,2026-06-02 11:00,completed,20.00,USD,{cell}\n"
        "903,2026-06-02 12:00,completed,30.00,USD,pi_3WC\n",
        timezone="UTC",
    )
    load(
        "Order ID,Order Date,Order Status,Order Total (inc tax),Order Currency Code,Transaction ID\n"
        f"904,2026-06-02 10:00,Completed,10.00,USD,{cell}\n"
        "905,2026-06-02 12:00,Completed,30.00,USD,9WC11111WC1111111\n",
        timezone="UTC",
    )
    load(
        "Order ID,Order date,Order total,Currency,Financial status,Payment Reference\n"
        f"906,2026-06-02T10:00:00Z,10.00,USD,PAID,{cell}\n907,2026-06-02T12:00:00Z,30.00,USD,PAID,ch_41\n"
    )
    found = raw.execute("select order_id, payment_ids from raw.conversions where payment_ids is not null order by 1")
    assert found.fetchall() == [("903", "pi_3WC"), ("905", "9WC11111WC1111111"), ("907", "ch_41")]
    assert raw.execute("select count(*) from raw.conversions").fetchone() == (7,)


# ---- test payments
def test_an_order_of_the_bogus_gateway_is_no_order(raw, load):
    load(
        "Name,Financial Status,Total,Currency,Created at,Payment Method,Refunded Amount,Id\n"
        "#2001,paid,33.00,USD,2026-06-02 09:12:40 +0200,bogus,0.00,5812340001001\n"
        "#2002,refunded,34.00,USD,2026-06-02 09:13:40 +0200,(for testing) Bogus Gateway,34.00,5812340001002\n"
        "#2003,paid,35.00,USD,2026-06-02 09:14:40 +0200,Shopify Payments,0.00,5812340001003\n"
        "#2004,paid,36.00,USD,2026-06-02 09:15:40 +0200,,0.00,5812340001004\n"
    )
    assert raw.execute("select order_id from raw.conversions order by 1").fetchall() == [
        ("5812340001003",),
        ("5812340001004",),
    ]
    assert raw.execute("select count(*) from raw.refunds").fetchone() == (0,)


# ---- money
ADOBE = """\
ID,"Purchase Date","Grand Total (Base)","Grand Total (Purchased)",Status,"Customer Email","Total Refunded"
000000061,"Jun 1, 2026, 10:15:30 AM",{base},{purchased},Complete,ivo@example.com,{refunded}
000000062,"Jun 13, 2026, 9:05:00 PM",80.0000,80.0000,Processing,jil@example.com,12.5000
"""


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        (("100.0000", "200.0000", "100.0000"), 50_000_000),
        (("100.0000", "300.0000", "100.0000"), 33_333_333),
        (("100.0000", "300.0000", "200.0000"), 66_666_667),
        (("92.4000", "15012.0000", "15012.0000"), 92_400_000),
        (("120.0000", "120.0000", "34.5600"), 34_560_000),
    ],
)
def test_a_refund_of_adobe_commerce_is_in_the_buyers_currency(raw, load, amounts, expected):
    base, purchased, refunded = amounts
    load(ADOBE.format(base=base, purchased=purchased, refunded=refunded), timezone="UTC", constants={"currency": "USD"})
    assert failures(raw) == []
    refunds = raw.execute("select order_id, refunded_total_micros, currency from raw.refunds order by 1").fetchall()
    assert refunds == [("000000061", expected, "USD"), ("000000062", 12_500_000, "USD")]


def test_a_refund_of_adobe_commerce_that_cannot_be_converted_fails(raw, load):
    text = ADOBE.format(base="$100.00", purchased="€200.00", refunded="€100.00")
    load(text, timezone="UTC", constants={"currency": "USD"})
    assert failures(raw) == [(2, "bad_money")]
    assert raw.execute("select order_id from raw.refunds").fetchall() == [("000000062",)]


def deals(raw) -> list[tuple[int, str]]:
    return raw.execute("select value_micros, currency from raw.conversions order by order_id").fetchall()


def test_an_amount_in_the_currency_of_the_company_has_not_that_of_the_deal(raw, load):
    load(
        "Record ID,Deal Name,Deal Stage,Close Date,Amount,Amount in company currency,Currency\n"
        "9001,Kettles,Closed Won,2026-06-05 10:00,100.00,108.00,EUR\n"
        "9002,Pans,Closed Won,2026-06-05 11:00,,216.00,EUR\n",
        timezone="UTC",
    )
    assert deals(raw) == [(100_000_000, "EUR"), (216_000_000, None)]


@pytest.mark.parametrize(
    ("columns", "cells", "expected"),
    [
        ("Amount (converted) Currency,Amount (converted),Opportunity Currency", "USD,108.00,EUR", (108, "USD")),
        ("Opportunity Currency,Amount (converted)", "EUR,108.00", (108, None)),
        (
            "Amount Currency,Amount,Amount (converted) Currency,Amount (converted)",
            "EUR,100.00,USD,108.00",
            (100, "EUR"),
        ),
        ("Opportunity Currency,Amount", "EUR,100.00", (100, "EUR")),
    ],
)
def test_an_amount_that_salesforce_converted_has_its_own_currency(raw, load, columns, cells, expected):
    head, row = "Opportunity ID,Opportunity Name,Stage,Close Date", "0065g00000AbCdE,Kettles,Closed Won,2026-06-05"
    load(f"{head},{columns}\n{row},{cells}\n", timezone="UTC")
    assert deals(raw) == [(expected[0] * 1_000_000, expected[1])]


def test_an_export_without_a_currency_says_that_it_counts_in_that_of_the_org(load):
    text = "Order Number,Order Date,Order Status,Order Total Amount\n1,2026-07-01 10:00,Completed,50.00\n"
    (conversions, _) = load(text, timezone="UTC")
    assert [warning.partition(".")[0] for warning in conversions.warnings] == ["1 row without a currency"]
    (conversions, _) = load(text, timezone="UTC", constants={"currency": "EUR"})
    assert conversions.warnings == []


def test_rates_for_one_dollar_are_no_rates_for_one_euro(raw, load):
    load("Date,EUR,JPY,GBP,USD\n2026-07-01,0.9,150.1,0.8,1\n")
    assert raw.execute("select count(*) from raw.exchange_rates").fetchone() == (0,)
    assert {reason for _, reason in failures(raw)} == {"unexpected_value"}


def test_an_average_of_a_month_is_no_rate_of_a_day(raw, load):
    load("KEY,FREQ,CURRENCY,CURRENCY_DENOM,TIME_PERIOD,OBS_VALUE\nEXR.M.USD.EUR.SP00.A,M,USD,EUR,2026-06,1.1\n")
    assert raw.execute("select count(*) from raw.exchange_rates").fetchone() == (0,)
    assert failures(raw) == [(2, "unexpected_value")]
