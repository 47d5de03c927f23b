"""Webhooks, postbacks and pixels: signatures, the rows of deliveries, and that each counts once."""

from __future__ import annotations

import contextlib
import fnmatch
import hashlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.affiliate_pages import matcher, problem
from ingestion.collector.problems import Problem
from ingestion.collector.webhooks import networks, shopify, stripe
from ingestion.home import Home
from ingestion.segments.loading import load_landing
from ingestion.settings.load import load_settings
from ingestion.settings.model import Network, SettingsError
from ingestion.warehouse import build_lock, connect
from tests.support.home import COMMAND
from tests.support.webhooks import changed, payload, shopify_signature, stripe_signature

MAIL = {
    name: hashlib.sha256(f"{name}@example.{tld}".encode()).hexdigest()
    for name, tld in [("ada", "com"), ("grace", "org")]
}


# Shopify


def test_a_shopify_order_counts_when_paid_with_the_same_row_from_either_topic():
    unpaid = shopify.report(payload("shopify_orders_create"), "orders/create")
    assert unpaid.row is None
    assert "not paid yet (pending)" in unpaid.ignored
    paid = shopify.report(payload("shopify_orders_paid"), "orders/paid")
    assert paid == shopify.report(payload("shopify_orders_paid"), "orders/create")
    assert paid.kind == "conversions"
    assert paid.row == {
        "conversion_id": "shopify:5678901234567",
        "occurred_at": "2026-11-12T14:15:29.000000Z",
        "visitor_id": "v-3f9c2a10",
        "customer_id": "7012345678901",
        "order_id": "5678901234567",
        "value": "112.89",
        "currency": "USD",
        "properties": {
            "order_name": "#1042",
            "email_hash": MAIL["ada"],
            "phone_hash": hashlib.sha256(b"+15556251199").hexdigest(),
        },
    }


@pytest.mark.parametrize(
    ("processed", "expected"),
    [
        ("2019-03-08T18:20:11+01:00", "2019-03-08T17:20:11.000000Z"),  # migrated in 2026
        (None, "2026-11-12T14:15:30.000000Z"),
        ("", "2026-11-12T14:15:30.000000Z"),
        ("2019-03-08", "2026-11-12T14:15:30.000000Z"),
    ],
)
def test_a_shopify_order_has_the_time_at_which_it_was_placed(processed, expected):
    row = shopify.report(changed("shopify_orders_paid", processed_at=processed), "orders/paid").row
    assert row["occurred_at"] == expected


def in_both(shop: str, buyers: str | None = None, currency: str = "EUR") -> dict:
    """Return an amount in the currency of the shop (USD) and in that of the buyer."""
    buyer = {"amount": buyers, "currency_code": currency} if buyers else {"amount": shop, "currency_code": "USD"}
    return {"shop_money": {"amount": shop, "currency_code": "USD"}, "presentment_money": buyer}


def returned(amount: str, currency: str | None = "USD", status: str = "success", **members: object) -> dict:
    """Return a refund in an order, with one transaction."""
    transaction = {"id": 1072844701, "kind": "refund", "status": status, "amount": amount, "currency": currency}
    return {"id": 929361465001, "refund_line_items": [], "transactions": [transaction | members]}


REMOVED = {  # by an edit of the order, before the payment
    "id": 929361464990,
    "note": None,
    "refund_line_items": [{"id": 1058498990, "quantity": 1, "subtotal_set": in_both("40.00")}],
    "transactions": [],
    "order_adjustments": [],
}


def edited(current: str | None, *refunds: dict, buyers: str | None = None, **members: object) -> bytes:
    """Return a paid order of 112.89 USD (101.60 EUR if `buyers` is set), of which `current` is left."""
    now = in_both(current, buyers) if current else None
    total = in_both("112.89", "101.60" if buyers else None)
    document = {"total_price_set": total, "current_total_price": current, "current_total_price_set": now}
    return changed("shopify_orders_paid", **document | {"refunds": list(refunds)} | members)


@pytest.mark.parametrize(
    ("body", "value", "presentment"),
    [
        (edited("72.89", REMOVED), "72.89", None),
        (edited("72.89", REMOVED, current_total_price_set=None), "72.89", None),
        (edited("72.89", REMOVED, total_price_set=None, current_total_price_set=None), "72.89", None),
        (edited("72.89", REMOVED, buyers="65.60"), "72.89", "65.60"),
        # Money that went back later counts as a refund, not as a smaller order.
        (edited("42.89", REMOVED, returned("30.00")), "72.89", None),
        (edited("42.89", REMOVED, returned("30.00", status="pending")), "72.89", None),
        (edited("72.89", returned("40.00"), returned("40.00", status="failure")), "112.89", None),
        (edited("62.89", returned("40.00", None), returned("10.00")), "112.89", None),
        (edited("0.00", returned("112.89")), "112.89", None),
        (edited("82.89", returned("27.00", "EUR"), buyers="74.60"), "112.89", "101.60"),
        (
            edited("42.89", returned("27.00", "EUR", amount_set=in_both("30.00", "27.00")), buyers="38.60"),
            "72.89",
            "65.60",
        ),
        (edited("42.89", returned("30.00", None), buyers="38.60"), "72.89", "65.599734"),
        # Shipping was refunded, too, which the current total includes.
        (edited("112.89", returned("12.00")), "112.89", None),
        # A payload that cannot answer has the total.
        (edited(None, REMOVED), "112.89", None),
        (edited("72.89", refunds=None), "112.89", None),
        (edited("72.89", returned("30.00", "SEK")), "112.89", None),
        (edited("72.89", returned("many")), "112.89", None),
        (edited("-1.00", REMOVED), "112.89", None),
        (edited("150.00"), "112.89", None),  # an item was added
    ],
)
def test_a_shopify_order_has_its_total_at_payment(body, value, presentment):
    row = shopify.report(body, "orders/paid").row
    assert (row["value"], row.get("presentment_value")) == (value, presentment)


VISITOR = {"name": "_tributary_anon_id", "value": "v-3f9c2a10"}
_FORMS = (None, True, 7, 0.5, "", "x", [], ["x"], {}, {"x": 1}, [None], [[]])


@pytest.mark.parametrize("form", _FORMS)
def test_no_shopify_order_is_lost_for_a_member_that_its_row_can_lack(form):
    def row_of(**members: object) -> dict:
        row = shopify.report(changed("shopify_orders_paid", **members), "orders/paid").row
        assert (row["conversion_id"], row["value"], row["currency"]) == ("shopify:5678901234567", "112.89", "USD")
        assert row["occurred_at"].startswith("2026-11-12T14:15:")
        return row

    document = msgspec.json.decode(payload("shopify_orders_paid"))
    needed = {"id", "total_price", "currency", "financial_status", "test"}
    for name in document.keys() - needed:
        row_of(**{name: form})
    row_of(**dict.fromkeys(document.keys() - needed - {"created_at"}, form))
    for odd in ({"name": "gift", "value": form}, {"name": form, "value": "x"}, form):
        assert row_of(note_attributes=[odd, VISITOR])["visitor_id"] == "v-3f9c2a10"
    assert row_of(customer={"id": 7012345678901, "email": form, "phone": form})["customer_id"] == "7012345678901"


def test_a_shopify_visitor_is_a_text():
    def visitor(value: object) -> str | None:
        body = changed("shopify_orders_paid", note_attributes=[{"name": "tributary_anon_id", "value": value}])
        return shopify.report(body, "orders/paid").row.get("visitor_id")

    assert [visitor(value) for value in (" v-1 ", 12)] == ["v-1", "12"]
    assert {visitor(value) for value in ("", " ", True, ["v-1"], {"id": "v-1"}, None)} == {None}


@pytest.mark.parametrize("form", _FORMS)
def test_no_shopify_refund_is_lost_for_a_member_that_its_row_can_lack(form):
    document = msgspec.json.decode(payload("shopify_refunds_create"))
    (transaction, *_) = document["transactions"]
    for name in transaction.keys() - {"id", "order_id", "kind", "status", "amount", "currency", "test"}:
        row = shopify.report(msgspec.json.encode(transaction | {name: form}), "order_transactions/create").row
        assert (row["value"], row["currency"]) == ("20.00", "USD")
    for name in document.keys() - {"order_id", "transactions"}:
        report = shopify.report(msgspec.json.encode(document | {name: form}), "refunds/create")
        assert [row["value"] for row in (report.row, *report.more)] == ["20.00", "13.90"]
    # A payment needs no amount: it counts as an order.
    sale = {"id": 1, "kind": "sale", "status": "success", "amount": form, "currency": form, "created_at": form}
    assert "sale, success" in shopify.report(msgspec.json.encode(sale), "order_transactions/create").ignored


def test_a_shopify_refund_without_a_currency_is_in_that_of_the_order():
    (transaction, *_) = msgspec.json.decode(payload("shopify_refunds_create"))["transactions"]
    del transaction["currency"]
    for odd in (transaction, transaction | {"currency": None}):
        row = shopify.report(msgspec.json.encode(odd), "order_transactions/create").row
        assert (row["value"], row.get("currency")) == ("20.00", None)


def test_a_shopify_cancellation_needs_no_money():
    document = msgspec.json.decode(payload("shopify_orders_cancelled"))
    needed = {name: document[name] for name in ("id", "cancelled_at")}
    whole, short = (shopify.report(msgspec.json.encode(each), "orders/cancelled") for each in (document, needed))
    assert whole == short
    assert short.row["reason"] == "cancelled"


@pytest.mark.parametrize(
    "members", [{"total_price": None}, {"currency": None}, {"created_at": None, "processed_at": None}, {"id": None}]
)
def test_a_shopify_order_without_a_member_that_it_needs_is_refused(members):
    with pytest.raises(Problem) as problem:
        shopify.report(changed("shopify_orders_paid", **members), "orders/paid")
    assert problem.value.status == 400


def test_a_shopify_guest_is_identified_by_the_email_hash_only():
    row = shopify.report(changed("shopify_orders_paid", customer=None, note_attributes=[]), "orders/paid").row
    assert ("customer_id" in row, "visitor_id" in row, row["properties"]["email_hash"]) == (False, False, MAIL["ada"])


def test_a_shopify_refund_is_each_transaction_that_returned_money():
    report = shopify.report(payload("shopify_refunds_create"), "refunds/create")
    common = {"occurred_at": "2026-11-13T15:34:55.000000Z", "order_id": "5678901234567", "currency": "USD"}
    assert [report.row, *report.more] == [  # by card and by gift card; the failed attempt gave nothing
        {"refund_id": "shopify:transaction:1072844685", "value": "20.00", **common},
        {"refund_id": "shopify:transaction:1072844686", "value": "13.90", **common},
    ]
    restocked = shopify.report(changed("shopify_refunds_create", transactions=[]), "refunds/create")
    assert restocked.row is None
    assert "no money went back" in restocked.ignored


def test_a_pending_shopify_refund_counts_once_its_transaction_succeeds():
    document = msgspec.json.decode(payload("shopify_refunds_create"))
    (transaction, *_) = document["transactions"]
    document["transactions"] = [transaction | {"status": "pending"}]
    pending = shopify.report(msgspec.json.encode(document), "refunds/create")
    assert pending.row is None
    assert "order_transactions/create reports it once it succeeds" in pending.ignored
    succeeded = shopify.report(msgspec.json.encode(transaction), "order_transactions/create")
    assert succeeded.row == shopify.report(payload("shopify_refunds_create"), "refunds/create").row


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"kind": "sale"}, "sale, success"),
        ({"status": "failure"}, "refund, failure"),
        ({"status": "pending"}, "refund, pending"),
        ({"test": True}, "a test transaction"),
    ],
)
def test_other_shopify_transactions_return_nothing(members, reason):
    (transaction, *_) = msgspec.json.decode(payload("shopify_refunds_create"))["transactions"]
    ignored = shopify.report(msgspec.json.encode(transaction | members), "order_transactions/create")
    assert ignored.row is None
    assert reason in ignored.ignored


def test_a_shopify_refund_is_in_the_shops_currency_where_the_payload_states_it():
    document = msgspec.json.decode(payload("shopify_refunds_create"))
    (transaction, *_) = document["transactions"]
    shop, buyer = {"amount": "21.50", "currency_code": "USD"}, {"amount": "20.00", "currency_code": "EUR"}
    foreign = transaction | {"currency": "EUR"}
    stated = foreign | {"amount_set": {"shop_money": shop, "presentment_money": buyer}}

    def money_of(body: dict, topic: str) -> tuple[str, str]:
        row = shopify.report(msgspec.json.encode(body), topic).row
        return row["value"], row["currency"]

    assert money_of(stated, "order_transactions/create") == ("21.50", "USD")
    assert money_of(foreign, "order_transactions/create") == ("20.00", "EUR")
    lines = [{"subtotal_set": {"shop_money": shop, "presentment_money": buyer}}]
    refund = document | {"refund_line_items": lines}
    assert money_of(refund | {"transactions": [foreign]}, "refunds/create") == ("21.50", "USD")
    assert money_of(refund | {"transactions": [foreign | {"amount": "19.00"}]}, "refunds/create") == ("19.00", "EUR")


def test_a_shopify_cancellation_is_a_refund_without_an_amount():
    assert shopify.report(payload("shopify_orders_cancelled"), "orders/cancelled").row == {
        "refund_id": "shopify:5678901234567:cancelled",
        "occurred_at": "2026-11-14T17:00:00.000000Z",
        "order_id": "5678901234567",
        "reason": "cancelled",
    }
    # The topic is not signed: a body without a cancellation cancels nothing.
    assert shopify.report(payload("shopify_orders_paid"), "orders/cancelled").row is None


@pytest.mark.parametrize("topic", ["orders/create", "orders/paid", "orders/cancelled"])
def test_shopify_test_orders_do_not_count(topic):
    report = shopify.report(changed("shopify_orders_cancelled", test=True), topic)
    assert (report.row, report.ignored) == (None, "a test order")


def test_a_shopify_signature_covers_every_byte():
    body, secret = payload("shopify_orders_paid"), b"hush"
    signature = shopify_signature(body, secret)
    assert shopify.is_signed(body, signature, [secret])
    assert not shopify.is_signed(body[:-1], signature, [secret])
    assert not shopify.is_signed(body, signature, [b"other"])
    assert not shopify.is_signed(body, "", [secret])
    assert not shopify.is_signed(body, "\xff", [secret])
    assert shopify.is_signed(body, signature, [b"new", secret])  # while the secret changes


# Stripe


def test_a_stripe_signature_is_valid_for_five_minutes():
    body, secret, now = payload("stripe_session_completed"), b"whsec_1", 1_794_470_500
    good = stripe_signature(body, secret, now)
    stripe.check_signature(body, good, [secret], now + 299)
    rolled = f"t={now},v1={'0' * 64}," + good.partition(",")[2]  # two secrets while one is being replaced
    stripe.check_signature(body, rolled, [secret], now)
    for header, at, title in [
        (good, now + 301, "Old signature"),
        (good.replace(f"t={now}", f"t={now + 400}"), now + 400, "Wrong signature"),  # replayed with a newer time
        (stripe_signature(body, b"other", now), now, "Wrong signature"),
        (stripe_signature(body, secret, now, "v0"), now, "Wrong signature"),
        (good.partition(",")[2], now, "Not signed"),
        ("", now, "Not signed"),
    ]:
        with pytest.raises(Problem) as refused:
            stripe.check_signature(body, header, [secret], at)
        assert (refused.value.status, refused.value.title) == (401, title)
    with pytest.raises(Problem):
        stripe.check_signature(body + b" ", good, [secret], now)


def test_a_stripe_session_counts_when_paid_at_once_or_later():
    unpaid = stripe.report(payload("stripe_session_unpaid"))
    assert unpaid.row is None
    assert "payment_status is unpaid" in unpaid.ignored
    paid = stripe.report(payload("stripe_session_completed"))
    assert paid == stripe.report(payload("stripe_session_async_succeeded"))
    assert paid.row == {
        "conversion_id": "stripe:cs_live_a1b2c3d4",
        "occurred_at": "2026-11-12T08:00:00.000000Z",
        "visitor_id": "v-77aa",
        "customer_id": "42",
        "order_id": "A-1001",
        "value": "54.50",
        "currency": "EUR",
        "payment_ids": "cs_live_a1b2c3d4 pi_3Nabc",
        "properties": {
            "payment_intent": "pi_3Nabc",
            "email_hash": MAIL["grace"],
            "phone_hash": hashlib.sha256(b"+49301234567").hexdigest(),
        },
    }
    test_mode = stripe.report(changed("stripe_session_completed", livemode=False))
    assert (test_mode.row, test_mode.ignored) == (None, "an event of the test mode")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        # The start of a free trial. Its first invoice is of 0, and paid.
        ({"mode": "subscription", "payment_intent": None, "subscription": "sub_1"}, "amount_total is 0"),
        # A coupon of 100 %: no payment intent exists.
        ({"payment_intent": None, "total_details": {"amount_discount": 5450}}, "amount_total is 0"),
        ({"payment_status": "no_payment_required", "payment_intent": None}, "payment_status is no_payment_required"),
        # The setup of a payment method: no amount, no currency.
        (
            {"mode": "setup", "payment_status": "no_payment_required", "amount_total": None, "currency": None},
            "payment_status is no_payment_required",
        ),
    ],
)
def test_a_stripe_session_without_money_is_no_purchase(members, reason):
    report = stripe.report(with_members("stripe_session_completed", **{"amount_total": 0, **members}))
    assert (report.row, report.ignored) == (None, f"{reason}: no money was paid")


def test_a_stripe_invoice_of_a_later_period_is_a_renewal():
    row = stripe.report(payload("stripe_invoice_paid")).row
    assert row == {
        "conversion_id": "stripe:in_1Q2w3e",
        "conversion_type": "renewal",
        "occurred_at": "2026-11-12T07:58:20.000000Z",
        "visitor_id": "v-77aa",
        "customer_id": "42",
        "order_id": "in_1Q2w3e",  # the metadata of the subscription is the same in all its renewals
        "value": "29.90",
        "currency": "EUR",
        "payment_ids": "in_1Q2w3e sub_77",
        "properties": {"email_hash": MAIL["grace"]},
    }


def with_members(name: str, **members: object) -> bytes:
    """Return a fixture of Stripe whose object has other members."""
    document = msgspec.json.decode(payload(name))
    document["data"]["object"] |= members
    return msgspec.json.encode(document)


def test_an_invoice_of_an_older_api_version_names_its_payment():
    older = {"payment_intent": "pi_3Nxyz", "charge": "ch_3Nxyz", "subscription": "sub_77", "parent": None}
    row = stripe.report(with_members("stripe_invoice_paid", **older)).row
    assert row["payment_ids"] == "in_1Q2w3e pi_3Nxyz ch_3Nxyz sub_77"


def test_a_stripe_invoice_payment_connects_the_invoice_and_has_no_money():
    assert stripe.report(payload("stripe_invoice_payment_paid")).row == {
        "conversion_id": "stripe:inpay_1Q2w3e",
        "occurred_at": "2026-11-12T07:58:20.000000Z",  # as the invoice
        "order_id": "in_1Q2w3e",
        "payment_ids": "in_1Q2w3e pi_3Nxyz",
    }
    by_charge = {"payment": {"type": "charge", "charge": "ch_3Nxyz"}, "status_transitions": {"paid_at": None}}
    row = stripe.report(with_members("stripe_invoice_payment_paid", **by_charge)).row
    assert (row["payment_ids"], row["occurred_at"]) == ("in_1Q2w3e ch_3Nxyz", "2026-11-12T07:53:20.000000Z")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"status": "open"}, "the status is open: no money was paid"),
        (
            {"payment": {"type": "payment_record", "payment_record": "prec_1"}},
            "the payment has neither a payment intent nor a charge",
        ),
        ({"payment": None}, "the payment has neither a payment intent nor a charge"),
    ],
)
def test_other_stripe_invoice_payments_connect_nothing(members, reason):
    report = stripe.report(with_members("stripe_invoice_payment_paid", **members))
    assert (report.row, report.ignored) == (None, reason)


def test_a_stripe_payment_intent_counts_without_a_session():
    row = stripe.report(payload("stripe_payment_intent_succeeded")).row
    assert (row["order_id"], row["value"], row["currency"]) == ("PI-1", "20.00", "USD")
    assert (row["presentment_value"], row["presentment_currency"]) == ("17.60", "EUR")
    assert row["payment_ids"] == "pi_3Nown ch_3Nown"


@pytest.mark.parametrize(
    ("members", "ids"),
    [
        ({"payment_details": {"order_reference": "in_1Q2w3e"}}, "pi_3Nown ch_3Nown in_1Q2w3e"),
        ({"payment_details": {"order_reference": "in_store"}}, "pi_3Nown ch_3Nown"),  # set by the merchant
        ({"payment_details": {"order_reference": None}}, "pi_3Nown ch_3Nown"),
        ({"payment_details": None}, "pi_3Nown ch_3Nown"),
        ({"invoice": "in_1Q2w3e"}, "pi_3Nown ch_3Nown in_1Q2w3e"),  # before 2025-03-31.basil
    ],
)
def test_a_stripe_payment_intent_names_its_invoice(members, ids):
    assert stripe.report(with_members("stripe_payment_intent_succeeded", **members)).row["payment_ids"] == ids


def test_a_stripe_refund_is_the_amount_of_its_event():
    rows = [stripe.report(payload(f"stripe_charge_refunded{which}")).row for which in ("", "_again")]
    assert [(row["refund_id"], row["order_id"], row["value"], row["currency"]) for row in rows] == [
        ("stripe:evt_1Refund", "A-1001", "10.00", "EUR"),
        ("stripe:evt_2Refund", "A-1001", "44.50", "EUR"),
    ]


@pytest.mark.parametrize(
    ("version", "charge", "before", "value"),
    [
        # 180.00 authorized, 145.50 captured: the first 34.50 of amount_refunded were never paid.
        ("2024-06-20", {"amount_captured": 14550, "amount_refunded": 3450}, 0, None),
        ("2024-06-20", {"amount_captured": 14550, "amount_refunded": 5450}, 3450, "20.00"),
        ("2025-02-24.acacia", {"amount_captured": 14550, "amount_refunded": 18000}, 5450, "125.50"),
        ("2025-02-24.acacia", {"amount_captured": 14550, "amount_refunded": 5450}, 0, "20.00"),
        ("2025-03-31.basil", {"amount_captured": 14550, "amount_refunded": 3450}, 0, "34.50"),
        ("2025-11-17.clover", {"amount_captured": 14550, "amount_refunded": 14550}, 3450, "111.00"),
        (None, {"amount_captured": 14550, "amount_refunded": 3450}, 0, "34.50"),
        ("2019-12-03", {"amount_refunded": 3450}, 0, "34.50"),
        # A cancelled payment was never captured.
        ("2024-06-20", {"amount_captured": 0, "captured": False, "amount_refunded": 18000}, 0, None),
        ("2019-12-03", {"amount_captured": None, "captured": False, "amount_refunded": 18000}, 0, None),
        (None, {"amount_captured": 0, "captured": False, "amount_refunded": 18000}, 0, None),
    ],
)
def test_a_released_stripe_authorization_is_no_refund(version, charge, before, value):
    document = msgspec.json.decode(payload("stripe_charge_refunded")) | {"api_version": version}
    (shown := document["data"]["object"]).pop("amount_captured")
    shown |= {"amount": 18000, "captured": True, **charge}
    document["data"]["previous_attributes"] = {"amount_refunded": before}
    report = stripe.report(msgspec.json.encode(document))
    assert (report.row and report.row["value"]) == value
    if value is None:
        assert report.ignored == "no money went back: the event releases an authorization"


@pytest.mark.parametrize("form", _FORMS)
@pytest.mark.parametrize(
    ("name", "needed", "row_id"),
    [
        ("session_completed", {"payment_status", "amount_total", "currency"}, "stripe:cs_live_a1b2c3d4"),
        ("invoice_paid", {"amount_paid", "currency"}, "stripe:in_1Q2w3e"),
        ("invoice_payment_paid", {"status", "invoice", "payment"}, "stripe:inpay_1Q2w3e"),
        ("payment_intent_succeeded", {"amount_received", "currency"}, "stripe:pi_3Nown"),
        ("charge_refunded", {"amount", "amount_captured", "amount_refunded", "currency"}, "stripe:evt_1Refund"),
        ("dispute_closed", {"amount", "currency", "status"}, "stripe:dp_1Lost"),
    ],
)
def test_no_stripe_payment_is_lost_for_a_member_that_its_row_can_lack(name, needed, row_id, form):
    expected = stripe.report(payload(f"stripe_{name}")).row
    members = msgspec.json.decode(payload(f"stripe_{name}"))["data"]["object"].keys() - needed - {"id", "created"}
    extra = {"api_version", "presentment_details", "subscription_details", "payment_details", "invoice", "metadata"}
    for member in members | (extra - needed):
        row = stripe.report(with_members(f"stripe_{name}", **{member: form})).row
        assert row_id in (row.get("conversion_id"), row.get("refund_id"))
        assert (row.get("value"), row.get("currency")) == (expected.get("value"), expected.get("currency"))
    document = msgspec.json.decode(payload(f"stripe_{name}"))
    assert stripe.report(msgspec.json.encode(document | {"api_version": form})).row == expected


def test_a_lost_stripe_dispute_is_a_refund():
    row = stripe.report(payload("stripe_dispute_closed")).row
    assert row == {
        "refund_id": "stripe:dp_1Lost",
        "occurred_at": "2026-11-20T08:00:00.000000Z",
        "order_id": "pi_3Nown",
        "value": "20.00",
        "currency": "USD",
        "reason": "dispute",
        "payment_ids": "ch_3Nown pi_3Nown",
    }
    document = msgspec.json.decode(payload("stripe_dispute_closed"))
    document["data"]["object"]["status"] = "won"
    won = stripe.report(msgspec.json.encode(document))
    assert (won.row, won.ignored) == (None, "the dispute is won: no money went back")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1050, "usd", "10.50"),
        (1050, "jpy", "1050"),
        (500, "ugx", "5.00"),
        (1, "kwd", "0.001"),
        (99_999_999_999_999, "eur", "999999999999.99"),
    ],
)
def test_stripe_amounts_follow_the_decimals_of_the_currency(amount, currency, text):
    assert stripe.decimal_text(amount, currency) == text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"id": 1}', b"\xff", b"[" * 100_000, b'{"a":' * 100_000])
def test_an_undocumented_payload_gives_400_with_a_detail(body):
    for read in (
        stripe.report,
        lambda body: shopify.report(body, "orders/paid"),
        lambda body: shopify.report(body, "refunds/create"),
    ):
        with pytest.raises(Problem) as refused:
            read(body)
        assert refused.value.status == 400
        assert "send the payload as its vendor documents it" in refused.value.detail


_ODD = st.sampled_from(
    [
        None,
        "",
        "NaN",
        "sNaN",
        "1e999999",
        "0001-01-01T00:00:00+05:00",
        "2026-01-01T00:00:00",
        -1,
        10**30,
        0.5,
        [],
        {},
        "x",
    ]
)


@given(st.data())
def test_no_value_of_a_signed_payload_makes_the_collector_fail(data):
    name, topic = data.draw(
        st.sampled_from(
            [
                ("shopify_orders_paid", "orders/paid"),
                ("shopify_orders_cancelled", "orders/cancelled"),
                ("shopify_refunds_create", "refunds/create"),
                ("stripe_session_completed", None),
                ("stripe_charge_refunded", None),
                ("stripe_dispute_closed", None),
                ("stripe_invoice_paid", None),
                ("stripe_invoice_payment_paid", None),
                ("stripe_payment_intent_succeeded", None),
            ]
        )
    )
    document = msgspec.json.decode(payload(name))
    for part in (document, document.get("data", {}).get("object", {}), *document.get("transactions", [])):
        for member in data.draw(st.lists(st.sampled_from([*part, "none"]), max_size=3)):
            part[member] = data.draw(_ODD)
    body = msgspec.json.encode(document)
    with contextlib.suppress(Problem):
        report = shopify.report(body, topic) if topic else stripe.report(body)
        assert (report.row is None) is (report.ignored is not None)


# Networks

NOW = "2026-11-20T10:00:00.000000Z"
EVERFLOW = Network(
    "partners", "everflow", "shop", "EVERFLOW_TOKEN", currency="USD", patterns=["blog.example/kettles/*"]
)


def parameters(query: str) -> dict[str, str]:
    return dict(parse_qsl(query, keep_blank_values=True))


def test_ids_that_are_email_addresses_become_distinct_hashes():
    def ids(visitor: str) -> dict:
        given = {"conversion_id": "c-1", "status": "approved", "adv1": visitor, "order_id": "203.0.113.9"}
        return networks.postback(EVERFLOW, given, NOW)

    assert ids("ada@example.com")["visitor_id"] == MAIL["ada"]
    assert ids("grace@example.org")["visitor_id"] == MAIL["grace"]
    assert "order_id" not in ids("v")
    session = msgspec.json.decode(payload("stripe_session_completed"))
    session["data"]["object"]["metadata"]["order_id"] = "ada@example.com"
    assert stripe.report(msgspec.json.encode(session)).row["order_id"] == MAIL["ada"]


def test_an_everflow_postback_becomes_a_row():
    given = parameters(
        "verification_token=s3cret&conversion_id=c-1&transaction_id=4c9dd7&offer_id=12&offer_name=Kettles&affiliate_id=7"
        "&affiliate_name=Blog&payout_amount=4.25&sale_amount=112.89&order_id=5678901234567&status=Approved"
        "&timestamp=1794470400&adv1={adv1}&landing_url=https%3A%2F%2Fwww.blog.example%2Fkettles%2Fbest%3Fx%3D1"
    )
    assert networks.is_from(EVERFLOW, given, None, [b"new", b"s3cret"])
    assert not networks.is_from(EVERFLOW, given, None, [b"other"])
    assert not networks.is_from(EVERFLOW, {}, None, [b"new", b"s3cret"])
    assert networks.is_from(EVERFLOW, {}, "s3cret", [b"s3cret"])
    assert networks.postback(EVERFLOW, given, NOW) == {
        "occurred_at": "2026-11-12T08:00:00.000000Z",
        "platform": "partners",
        "transaction_id": "c-1",
        "status": "approved",
        "campaign_id": "12",
        "campaign": "Kettles",
        "affiliate_id": "7",
        "affiliate": "Blog",
        "click_id": "4c9dd7",
        "order_id": "5678901234567",
        "payout": "4.25",
        "value": "112.89",
        "currency": "USD",
        "properties": {"affiliate_pattern": "blog.example/kettles/*"},
    }


@pytest.mark.parametrize(
    ("network", "query", "expected"),
    [
        (
            Network("tune", "tune", "shop", "S"),
            "transaction_id=102&offer_id=3&affiliate_id=9&payout=1.5&adv_sub=A-1&status=pending"
            "&datetime=2026-11-12 08:00:00Z",
            {
                "transaction_id": "102:order-A-1",
                "click_id": "102",
                "order_id": "A-1",
                "status": "pending",
                "payout": "1.5",
                "campaign_id": "3",
            },
        ),
        (
            Network("trackier", "trackier", "shop", "S"),
            "conversion_id=7&click_id=k&txn_id=A-2&publisher_id=5&payout=2&sale_amount=10&status=cancelled&currency=INR",
            {
                "transaction_id": "7",
                "click_id": "k",
                "order_id": "A-2",
                "affiliate_id": "5",
                "status": "rejected",
                "currency": "USD",  # of the payout; the sale is in rupees
                "value": None,
                "properties": {"sale_amount": "10", "sale_currency": "INR"},
            },
        ),
        (
            Network("trackier", "trackier", "shop", "S"),
            "conversion_id={conversion_id}&click_id=k&payout=2&sale_amount=10&status=approved&currency=usd",
            {"transaction_id": "k", "click_id": "k", "payout": "2", "value": "10", "currency": "USD"},
        ),
        (
            Network("trackier", "trackier", "shop", "S", currency="INR"),
            "conversion_id=7&payout=2&sale_amount=10&status=approved&currency=INR",
            {"payout": "2", "value": "10", "currency": "INR"},
        ),
        (
            Network("trackier", "trackier", "shop", "S"),
            "conversion_id=7&sale_amount=10&status=approved&currency=INR",
            {"payout": None, "value": "10", "currency": "INR"},
        ),
        (
            EVERFLOW,
            "conversion_id=&transaction_id=4c9dd7&status=approved",
            {"transaction_id": "4c9dd7", "click_id": "4c9dd7"},
        ),
        (
            Network("tune", "tune", "shop", "S", parameters={"transaction_id": "conversion"}),
            "conversion=c-9&transaction_id=102&goal_id=5&status=approved",
            {"transaction_id": "c-9"},
        ),
        (
            Network(
                "own", "generic", "shop", "S", parameters={"transaction_id": "tid"}, statuses={"Confirmed": "approved"}
            ),
            "tid=1&status=CONFIRMED&payout=2",
            {"transaction_id": "1", "status": "approved", "payout": "2", "occurred_at": NOW},
        ),
    ],
)
def test_each_network_has_its_parameter_names(network, query, expected):
    row = networks.postback(network, parameters(query), NOW)
    assert {name: row.get(name) for name in expected} == expected


def test_each_goal_of_a_tune_click_is_a_payout_of_its_own():
    network = Network("tune", "tune", "shop", "S")
    queries = ("", "&goal_id=5", "&goal_id=6", "&adv_sub=5", "&goal_id=5&adv_sub=A-1", "&goal_id={goal_id}")
    ids = [
        networks.postback(network, parameters(f"transaction_id=102&status=approved{query}"), NOW)["transaction_id"]
        for query in queries
    ]
    assert ids == ["102", "102:goal-5", "102:goal-6", "102:order-5", "102:goal-5:order-A-1", "102"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-12 08:00:00", "2026-11-12T13:00:00.000000Z"),
        ("2026-07-12 08:00:00", "2026-07-12T12:00:00.000000Z"),
        ("2026-11-12 08:00:00Z", "2026-11-12T08:00:00.000000Z"),
    ],
)
def test_times_of_a_network_are_in_its_zone(text, expected):
    network = Network("tune", "tune", "shop", "S", timezone="America/New_York")
    given = {"transaction_id": "102", "status": "approved", "datetime": text}
    assert networks.postback(network, given, NOW)["occurred_at"] == expected


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("status=approved", "conversion_id is missing"),
        ("conversion_id={conversion_id}&status=approved", "conversion_id is missing"),
        ("conversion_id=1", "status= is not one of approved"),
        ("conversion_id=1&status=maybe", "status=maybe is not one of approved"),
        ("conversion_id=1&status=approved&timestamp=2026-11-12 08:00:00", "has no zone. Set timezone"),
        ("conversion_id=1&status=approved&timestamp=soon", "is neither an ISO 8601 time nor a Unix time"),
        ("conversion_id=1&status=approved&timestamp=" + "9" * 400, "is neither an ISO 8601 time nor a Unix time"),
        ("status=approved&conversion_id=" + "9" * 501, "more than 500 characters"),
    ],
)
def test_an_incomplete_postback_is_rejected(query, detail):
    with pytest.raises(Problem) as refused:
        networks.postback(EVERFLOW, parameters(query), NOW)
    assert refused.value.status == 400
    assert detail in refused.value.detail


# Affiliates' pages

_LABELS = st.sampled_from(["a", "b", "ab", "shop", "*", "a*", "*b"])
_HOSTS = st.builds(
    lambda labels, tld: ".".join([*labels, tld]),
    st.lists(_LABELS, min_size=0, max_size=3),
    st.sampled_from(["com", "de"]),
)
_PATHS = st.text(alphabet="ab/*", max_size=8).map(lambda path: f"/{path}" if path else "")
_URLS = st.builds(
    lambda host, path, rest: f"https://{host}{path}{rest}",
    _HOSTS.map(lambda host: host.replace("*", "x")),
    _PATHS.map(lambda path: path.replace("*", "ba")),
    st.sampled_from(["", "?a=b", "#a"]),
)


def naive(patterns: list[str], url: str) -> str | None:
    """The same, by trying every pattern."""
    parts = urlsplit(url)

    def fits(pattern: str) -> bool:
        host, slash, path = pattern.partition("/")
        hosts = [host] if "*" in host else [host, f"*.{host}"]
        return any(fnmatch.fnmatchcase(parts.netloc, h) for h in hosts) and fnmatch.fnmatchcase(
            parts.path or "/", slash + path or "*"
        )

    return min(filter(fits, patterns), key=lambda p: (-len(p.replace("*", "")), p), default=None)


@given(st.lists(st.builds(str.__add__, _HOSTS, _PATHS), max_size=8), st.lists(_URLS, min_size=1, max_size=5))
def test_the_index_finds_the_same_pattern_as_a_full_search(patterns, urls):
    match = matcher(patterns)
    assert [match(url) for url in urls] == [naive(patterns, url) for url in urls]


@pytest.mark.parametrize(
    "pattern", ["", "*", "*.*", "example.*", "https://", "exa mple.com", "example.com/?id=*", "/blog"]
)
def test_a_pattern_that_matches_any_host_is_rejected(pattern):
    assert "Write a host and a path" in problem(pattern)


@pytest.mark.parametrize("url", ["", "https://", "https://[", "not a url", "https://a.com:port/x", "//" + "a." * 5000])
def test_a_malformed_url_matches_no_pattern(url):
    assert matcher(["*.com/x*", "b.com"])(url) in (None, "*.com/x*")


def test_ten_thousand_patterns_match_fast():
    """Timing decides nothing here: it is printed (pytest -s)."""
    patterns = [f"blog{i}.example/*/kettle-{i}*" for i in range(5000)] + [
        f"tube.example/*creator{i}x*" for i in range(5000)
    ]
    match = matcher(patterns)
    for url, expected in [
        ("https://www.blog77.example/2026/kettle-77-review", "blog77.example/*/kettle-77*"),
        ("https://tube.example/watch/creator4999x/1", "tube.example/*creator4999x*"),
        ("https://tube.example/" + "creator" * 200, None),  # where a backtracking matcher would never end
    ]:
        started = time.perf_counter()
        assert match(url) == expected
        print(f"{len(patterns):,} patterns: {(time.perf_counter() - started) * 1000:.3f} ms for {url[:60]}")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("webhooks: [{kind: shopfy, site: shop, secret: A}]", "'shopfy' is unknown. Write one of shopify, stripe"),
        (
            "webhooks: [{kind: shopify, site: shp, secret: A}]",
            "there is no site shp. Do you mean shop?",
        ),
        (
            "webhooks: [{kind: shopify, site: shop, secret: shpss_1a2b}]",
            "name of the environment variable that holds the secret",
        ),
        ("networks: [{name: n, kind: tune, site: shop, secret: A, patterns: ['*']}]", "Write a host and a path"),
        ("networks: [{name: n, kind: tune, site: shop, secret: A, timezone: Pacific/Nowhere}]", "Pacific/Nowhere"),
        (
            "networks: [{name: n, kind: tune, site: shop, secret: A, parameters: {payot: x}}]",
            "Do you mean payout?",
        ),
        (
            "networks: [{name: n, kind: tune, site: shop, secret: A, statuses: {ok: fine}}]",
            "fine: unknown name",
        ),
    ],
)
def test_wrong_settings_give_a_clear_error(tmp_path, entry, message):
    home = Home(tmp_path)
    home.settings.write_text(f"orgs: [{{id: o, currency: USD}}]\nsites: [{{id: shop, org: o}}]\n{entry}\n")
    with pytest.raises(SettingsError) as error:
        load_settings(home)
    assert message in str(error.value)


# Through a real collector into a real warehouse

SECRETS = {"SHOPIFY_SECRET": "shh-shopify", "STRIPE_SECRET": "whsec_shh", "PARTNERS_TOKEN": "shh-partners"}
SETTINGS = """
orgs: [{id: default, currency: USD}]
sites:
  - {id: shop, org: default, public_key: pk_shop, domains: [shop.example]}
  - {id: quiet, org: default, public_key: pk_quiet, domains: [quiet.example], events_per_minute: 60}
webhooks:
  - {kind: shopify, site: shop, secret: SHOPIFY_SECRET}
  - {kind: stripe, site: shop, secret: STRIPE_SECRET}
  - {kind: shopify, site: quiet, secret: NOBODY_SET_THIS}
networks:
  - {name: Partners, kind: everflow, site: shop, secret: PARTNERS_TOKEN, patterns: ["blog.example/kettles/*"]}
  - {name: loud, kind: generic, site: quiet, secret: NOBODY_SET_THIS}
"""


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    (tmp_path / "tributary.yaml").write_text(SETTINGS)
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path))
    return Home.from_environment()


@contextlib.contextmanager
def collecting(home: Home) -> Iterator[httpx.Client]:
    """A client of a separate collector, which SIGTERM stops afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [COMMAND, "collect", "--port", str(port)],
        env={**os.environ, **SECRETS, "TRIBUTARY_HOME": str(home.root)},
        stdout=(home.root / "collect.log").open("a"),
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
                deadline = time.monotonic() + 60
                while True:
                    with contextlib.suppress(httpx.TransportError):
                        if client.get("/readyz").status_code == 200:
                            break
                    assert process.poll() is None, (home.root / "collect.log").read_text()
                    assert time.monotonic() < deadline, "the collector is not ready after a minute"
                    time.sleep(0.1)
                yield client
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


def from_shopify(
    client: httpx.Client,
    topic: str,
    body: bytes,
    *,
    site: str = "shop",
    secret: str = "shh-shopify",
    delivery: str | None = None,
):
    signature = shopify_signature(body, secret.encode())
    headers = {"X-Shopify-Hmac-Sha256": signature, "X-Shopify-Topic": topic}
    return client.post(
        f"/webhooks/shopify/{site}",
        content=body,
        headers=headers | {"X-Shopify-Webhook-Id": delivery or f"{topic} {signature}"},
    )


def from_stripe(client: httpx.Client, body: bytes, at: int | None = None, secret: str = "whsec_shh"):
    headers = {"Stripe-Signature": stripe_signature(body, secret.encode(), at or int(time.time()))}
    return client.post("/webhooks/stripe/shop", content=body, headers=headers)


def from_page(client: httpx.Client, path: str, origin: str = "https://www.shop.example", **members: object):
    body = msgspec.json.encode({"publicKey": "pk_shop", **members})
    return client.post(path, content=body, headers={"Origin": origin, "Content-Type": "text/plain"})


STARTED = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def everything(client: httpx.Client) -> list[httpx.Response]:
    """A day of reports, each of them sent twice."""
    postback = {"conversion_id": "c-1", "status": "approved", "payout_amount": "4.25", "timestamp": "1794470400"}
    sent = [
        lambda: from_shopify(client, "orders/create", payload("shopify_orders_create")),
        lambda: from_shopify(client, "orders/create", payload("shopify_orders_paid")),
        lambda: from_shopify(client, "orders/paid", payload("shopify_orders_paid")),
        lambda: from_shopify(client, "refunds/create", payload("shopify_refunds_create")),
        lambda: from_shopify(
            client,
            "order_transactions/create",
            msgspec.json.encode(msgspec.json.decode(payload("shopify_refunds_create"))["transactions"][0]),
        ),
        lambda: from_shopify(client, "orders/cancelled", payload("shopify_orders_cancelled")),
        lambda: from_shopify(
            client, "orders/paid", changed("shopify_orders_paid", id=77, customer=None, note_attributes=[])
        ),
        lambda: from_stripe(client, payload("stripe_session_completed")),
        lambda: from_stripe(client, payload("stripe_session_async_succeeded")),
        lambda: from_stripe(client, payload("stripe_charge_refunded")),
        lambda: from_stripe(client, payload("stripe_charge_refunded_again")),
        lambda: client.get("/postbacks/partners", params=postback | {"verification_token": "shh-partners"}),
        lambda: client.post("/postbacks/partners", data=postback, headers={"X-Postback-Token": "shh-partners"}),
        lambda: from_page(
            client,
            "/api/events/checkout",
            "null",
            event="checkout_completed",
            id="sh-1",
            anonId="v-3f9c2a10",
            checkoutToken="bd5a",
            orderId="gid://shopify/OrderIdentity/5678901234567",
            value=112.89,
            currency="USD",
        ),
        lambda: from_page(
            client,
            "/api/survey",
            question="How did you hear about us?",
            answer="From ada@example.com, 203.0.113.77",
            answerId="a-1",
            anonId="v-3f9c2a10",
            orderId="5678901234567",
            timestamp=STARTED,
        ),
    ]
    return [send() for send in sent for _ in range(2)]


def loaded(home: Home) -> dict[str, list[tuple]]:
    """What the warehouse holds once everything that landed is loaded."""
    questions = {
        "conversions": "conversion_id, site_id, visitor_id, order_id, value_micros, currency",
        "refunds": "refund_id, order_id, value_micros, reason",
        "postbacks": "transaction_id, status, payout_micros, platform",
        "events": "event_id, type, anon_id, order_id, value_micros",
        "survey_answers": "answer_id, answer, order_id",
        "failed_events": "kind, reason, payload",
    }
    with build_lock(home, "test"), connect(home) as connection:
        load_landing(connection, home, load_settings(home))
        rows = {
            table: connection.execute(f"select {columns} from raw.{table} order by all").fetchall()
            for table, columns in questions.items()
        }
        rows["unequal"] = connection.execute(
            "select * from raw.loads where received_rows <> loaded_rows + duplicate_rows + failed_rows + limited_rows"
        ).fetchall()
    return rows


def test_a_delivery_counts_once_also_after_a_restart(home):
    counted = {
        "conversions": [
            ("shopify:5678901234567", "shop", "v-3f9c2a10", "5678901234567", 112_890_000, "USD"),
            ("shopify:77", "shop", None, "77", 112_890_000, "USD"),
            ("stripe:cs_live_a1b2c3d4", "shop", "v-77aa", "A-1001", 54_500_000, "EUR"),
        ],
        "refunds": [
            ("shopify:5678901234567:cancelled", "5678901234567", None, "cancelled"),
            ("shopify:transaction:1072844685", "5678901234567", 20_000_000, "refund"),
            ("shopify:transaction:1072844686", "5678901234567", 13_900_000, "refund"),
            ("stripe:evt_1Refund", "A-1001", 10_000_000, "refund"),
            ("stripe:evt_2Refund", "A-1001", 44_500_000, "refund"),
        ],
        "postbacks": [("c-1", "approved", 4_250_000, "partners")],
        "events": [("sh-1", "CHECKOUT_COMPLETED", "v-3f9c2a10", "5678901234567", 112_890_000)],
        "survey_answers": [("a-1", "From (email), (ip)", "5678901234567")],
        "failed_events": [],
        "unequal": [],
    }
    with collecting(home) as client:
        answers = everything(client)
        figures = client.get("/metrics").text
        first, other = (
            from_shopify(client, "refunds/create", changed("shopify_refunds_create", id=id_), delivery="one")
            for id_ in (929361464001, 929361464002)
        )
        assert [reply.json()["duplicate"] for reply in (first, other)] == [2, 2]
    assert {answer.status_code for answer in answers} <= {200, 202}, [answer.text for answer in answers]
    assert 'tributary_events_accepted_total{kind="conversions",site="shop"} 3.0' in figures
    assert 'tributary_events_duplicate_total{kind="conversions",site="shop"} 7.0' in figures
    assert loaded(home) == counted
    with collecting(home) as client:  # with empty memory
        again = everything(client)
    assert {answer.status_code for answer in again} <= {200, 202}
    assert loaded(home) == counted
    no_one_elses = [b"ada@example", b"Ada@Example", b"grace@example", b"5556251199", b"203.0.113.77", b'127.0.0.1"']
    for path in (path for path in home.root.rglob("*") if path.is_file() and path.name != "collect.log"):
        content = path.read_bytes()
        for found in (*no_one_elses, *map(str.encode, SECRETS.values())):
            assert found not in content, f"{path} holds {found!r}"
    log = (home.root / "collect.log").read_bytes()
    assert not any(found.encode() in log for found in SECRETS.values())


def test_forged_old_or_broken_deliveries_are_rejected_and_store_nothing(home):
    paid, session = payload("shopify_orders_paid"), payload("stripe_session_completed")
    survey = {"question": "How?", "answer": "So"}
    with collecting(home) as client:
        for answer, status, detail in [
            (
                from_shopify(client, "orders/paid", paid, secret="guessed"),
                401,
                "does not fit this body. Check the webhook's secret",
            ),
            (
                client.post("/webhooks/shopify/shop", content=paid),
                401,
                "does not fit this body. Check the webhook's secret",
            ),
            (from_shopify(client, "orders/paid", paid[:-20]), 400, "truncated"),
            (from_shopify(client, "orders/paid", b"not JSON"), 400, "vendor documents"),
            (from_shopify(client, "orders/paid", b" " * (8 << 20) + paid), 413, "larger than 8 MiB"),
            (client.post("/postbacks/partners", content=b" " * ((1 << 20) + 1)), 413, "larger than 1 MiB"),
            (from_shopify(client, "orders/paid", paid, site="nowhere"), 404, "tributary.yaml has no site nowhere"),
            (from_shopify(client, "orders/paid", paid, site="quiet"), 503, "Set NOBODY_SET_THIS"),
            (from_stripe(client, session, secret="guessed"), 401, "Check the endpoint's secret"),
            (from_stripe(client, session, at=int(time.time()) - 301), 401, "more than 5 minutes old"),
            (client.post("/webhooks/stripe/quiet", content=session), 404, "under webhooks in tributary.yaml"),
            (client.get("/webhooks/stripe/shop"), 405, "openapi"),
            (client.get("/postbacks/partners?conversion_id=1&status=approved"), 401, "verification_token"),
            (client.get("/postbacks/nobody?token=x"), 404, "tributary.yaml has no network nobody"),
            (client.get("/postbacks/loud?token=&transaction_id=1&status=approved"), 503, "Set NOBODY_SET_THIS"),
            (client.post("/postbacks/partners", content=b'{"a": {}}'), 400, "neither a form"),
            (client.get("/pixel/partners.gif?site=quiet"), 404, "no site quiet"),
            (from_page(client, "/api/survey", "https://evil.example", **survey), 403, "site does not have this origin"),
            (from_page(client, "/api/survey", "null", **survey), 403, "site does not have this origin"),
            (from_page(client, "/api/survey", question="", answer=" "), 400, "Send both question and answer"),
            (
                from_page(client, "/api/survey", **survey, timestamp="1999-01-01T00:00:00Z", anonId="v"),
                400,
                "is before",
            ),
            (from_page(client, "/api/survey", **survey), 400, "names nobody"),
            (from_page(client, "/api/survey", **survey, publicKey="pk_wrong"), 401, "is not known"),
            (from_page(client, "/api/events/checkout", "null", event="conversion", anonId="v"), 400, "is not one of"),
            (
                from_page(client, "/api/events/checkout", "https://evil.example", event="x"),
                403,
                "site does not have this origin",
            ),
        ]:
            assert answer.status_code == status, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert detail in answer.json()["detail"], answer.text
    assert not list(home.landing.glob("*.ndjson"))


def test_an_order_with_a_thousand_lines_counts(home):
    document = msgspec.json.decode(payload("shopify_orders_paid"))
    (line,) = document["line_items"]
    document["line_items"] = [line | {"id": line["id"] + n, "properties": [{"note": "n" * 2000}]} for n in range(1000)]
    body = msgspec.json.encode(document)
    assert 2 << 20 < len(body) < 8 << 20
    with collecting(home) as client:
        assert from_shopify(client, "orders/paid", body).json()["accepted"] == 1
        assert from_shopify(client, "orders/paid", body, secret="guessed").status_code == 401
        assert from_page(client, "/api/track", events=[{"title": "x" * (1 << 20)}]).status_code == 413
    assert [row[0] for row in loaded(home)["conversions"]] == ["shopify:5678901234567"]


def test_a_pixel_stores_nothing_in_the_browser_and_obeys_privacy_signals(home):
    page = {"Referer": "https://www.blog.example/kettles/best", "User-Agent": "Firefox"}
    with collecting(home) as client:
        for _ in range(2):
            shown = client.get("/pixel/partners.gif?offer_id=3&adv1=v-1&impression_id=i-1", headers=page)
        client.get("/pixel/partners.gif?offer_id=3", headers=page | {"Sec-GPC": "1"})
        client.get("/pixel/partners.gif?offer_id=3", headers=page | {"DNT": "1"})
        for _ in range(1000):
            if (refused := client.get("/pixel/loud.gif")).status_code != 200:
                break
        # A flood of pixels does not use up the limit of the site's pages.
        event = {"publicKey": "pk_quiet", "type": "PAGE_VIEW", "anonId": "v"}
        sent = client.post("/api/track", json=event, headers={"Origin": "https://quiet.example"})
    assert (len(shown.content), shown.content[:6], shown.headers["content-type"]) == (43, b"GIF89a", "image/gif")
    assert shown.headers["cache-control"] == "no-store"
    assert "set-cookie" not in shown.headers
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert sent.status_code == 202
    loaded(home)
    with connect(home) as connection:
        assert connection.execute(
            "select interaction_id, visitor_id, campaign_id, medium, properties"
            " from raw.interactions where platform = 'partners'"
        ).fetchall() == [("partners:i-1", "v-1", "3", "affiliate", '{"affiliate_pattern":"blog.example/kettles/*"}')]
