"""Turn Stripe's webhooks into conversions and refunds.

In: the raw body of one event, signed. Out: a Report.

A Checkout session is one conversion once it is paid, at once or later (bank debits). charge.refunded carries the sum of
all refunds of a charge so far. The amount of one event is that sum less the sum before.
"""

from __future__ import annotations

import hashlib
import hmac
from decimal import Decimal
from typing import Any

import msgspec

from ingestion.collector.problems import Problem
from ingestion.collector.webhooks.report import Report, decoded, instant, money, row
from ingestion.placeholders import real_id
from ingestion.privacy.redact import hash_email, hash_phone, redact_id

TOLERANCE = 300  # the age in seconds of a valid signature: Stripe's default
_CHECKOUT = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
TYPES = (*_CHECKOUT, "charge.refunded")

# Amounts are in the smallest unit. UGX and ISK have no decimals, but Stripe sends two (docs.stripe.com/currencies).
_NO_DECIMALS = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()  # noqa: SIM905 - a table of words
)
_THREE_DECIMALS = frozenset("BHD JOD KWD OMR TND".split())  # noqa: SIM905 - likewise


class _Data(msgspec.Struct):
    object: msgspec.Raw
    previous_attributes: dict[str, Any] | None = None


class _Event(msgspec.Struct):
    id: str
    type: str
    created: int
    data: _Data
    livemode: bool = True


class _Details(msgspec.Struct):
    email: str | None = None
    phone: str | None = None


class _Session(msgspec.Struct):
    id: str
    created: int
    payment_status: str
    amount_total: int | None = None
    currency: str | None = None
    client_reference_id: str | None = None
    customer_details: _Details | None = None
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


class _Charge(msgspec.Struct):
    id: str
    amount_refunded: int
    currency: str
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


def check_signature(body: bytes, header: str, secret: bytes, now: float) -> None:
    """Raise a Problem (401) unless the body has a v1 signature of the last five minutes. now: Unix seconds."""
    parts = [part.strip().partition("=") for part in header.split(",")]
    stamp = next((value for name, _, value in parts if name == "t"), "")
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        raise Problem(401, "Not signed", "Stripe-Signature has no time. Send it as Stripe does: t=...,v1=...")
    expected = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest().encode()
    if not any(name == "v1" and hmac.compare_digest(expected, value.encode()) for name, _, value in parts):
        raise Problem(401, "Wrong signature", "Check the endpoint's secret, and that no proxy changes bodies")
    if abs(now - int(stamp)) > TOLERANCE:
        raise Problem(
            401,
            "Old signature",
            "The signature is more than 5 minutes old. Check the clocks: Stripe signs each retry anew",
        )


def report(body: bytes) -> Report:
    """Return the row of one event, or raise a Problem where it is not as Stripe documents it."""
    event = decoded(body, _Event)
    if event.type not in TYPES:
        return Report("conversions", ignored=f"the type {event.type} is not used: {', '.join(TYPES)} are")
    if not event.livemode:
        return Report("conversions", ignored="an event of the test mode")
    if event.type in _CHECKOUT:
        return _conversion(decoded(event.data.object, _Session))
    return _refund(event, decoded(event.data.object, _Charge))


def _conversion(session: _Session) -> Report:
    if session.payment_status != "paid":
        return Report("conversions", ignored=f"payment_status is {session.payment_status}: no money was paid")
    if session.amount_total is None or not session.currency:
        raise Problem(400, "Not the expected JSON", "A paid session has amount_total and currency. This one lacks them")
    metadata, details = session.metadata or {}, session.customer_details or _Details()
    visitor = real_id(metadata.get("anon_id")) or real_id(session.client_reference_id)
    session_id, payment_intent = redact_id(session.id), redact_id(session.payment_intent or "")
    return Report(
        "conversions",
        row(
            conversion_id=f"stripe:{session_id}",
            occurred_at=instant(session.created),
            visitor_id=redact_id(visitor),
            # Not Stripe's customer, since a guest becomes a new one with each payment.
            customer_id=redact_id(metadata.get("user_id", "")),
            order_id=redact_id(real_id(metadata.get("order_id"))) or payment_intent or session_id,
            value=decimal_text(session.amount_total, session.currency),
            currency=session.currency.upper(),
            properties=row(
                payment_intent=payment_intent,
                email_hash=hash_email(details.email),
                phone_hash=hash_phone(details.phone),
            ),
        ),
    )


def _refund(event: _Event, charge: _Charge) -> Report:
    before = (event.data.previous_attributes or {}).get("amount_refunded")
    if not isinstance(before, int):
        raise Problem(
            400, "Not the expected JSON", "previous_attributes.amount_refunded is missing. Nothing was stored"
        )
    ids = (real_id((charge.metadata or {}).get("order_id")), charge.payment_intent or "", charge.id)
    order = next((order for id_ in ids if (order := redact_id(id_))), None)
    return Report(
        "refunds",
        row(
            refund_id=f"stripe:{redact_id(event.id)}",
            occurred_at=instant(event.created),
            order_id=order,
            value=decimal_text(charge.amount_refunded - before, charge.currency),
            currency=charge.currency.upper(),
        ),
    )


def decimal_text(amount: int, currency: str) -> str:
    """Return an amount in Stripe's smallest unit as a decimal: 1050 usd is 10.50, 1050 jpy is 1050."""
    code = currency.upper()
    decimals = 0 if code in _NO_DECIMALS else 3 if code in _THREE_DECIMALS else 2
    return money(Decimal(amount).scaleb(-decimals))
