"""Turn Stripe's webhooks into conversions and refunds.

In: the raw body of one event, signed. Out: a Report.

A Checkout session, an invoice or a payment intent is one conversion once it is paid. One payment can have all three:
each row names the ids of its payment, by which the marts count it once and find it for a refund. An invoice payment
connects an invoice to its payment intent: since API version 2025-03-31.basil neither names the other. charge.refunded
carries the sum of all refunds of a charge so far. The amount of one event is that sum less the sum before. Before that
version, both sums include the part of an authorization that was never captured.
Source: docs.stripe.com/changelog/basil/2025-03-31/remove-refund-from-partial-capture-and-payment-cancellation-flow.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from decimal import Decimal

from ingestion.collector.problems import Problem
from ingestion.collector.webhooks.report import Report, decoded, instant, member, money, row, text, texts
from ingestion.collector.webhooks.stripe_objects import (
    Charge,
    Dispute,
    Event,
    Intent,
    Invoice,
    InvoicePayment,
    Parent,
    Payment,
    Presentment,
    Reference,
    Session,
    Subscription,
    Transitions,
)
from ingestion.placeholders import real_id
from ingestion.privacy.redact import hash_email, hash_phone, redact_id

TOLERANCE = 300  # the age in seconds of a valid signature: Stripe's default
_CHECKOUT = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
_DISPUTE = "charge.dispute.closed"
_INVOICE_PAYMENT = "invoice_payment.paid"
TYPES = (*_CHECKOUT, "invoice.paid", _INVOICE_PAYMENT, "payment_intent.succeeded", "charge.refunded", _DISPUTE)
# Stripe names an intent's invoice as its order. A merchant can set a reference that is no invoice.
_INVOICE_ID = re.compile(r"in_[0-9][0-9A-Za-z]*")
_BASIL = "2025-03-31"  # the date of the API version that no longer reports a released authorization as a refund
_RENEWALS = ("subscription_cycle", "subscription_update", "subscription_threshold", "subscription")

# Amounts are in the smallest unit. UGX and ISK have no decimals, but Stripe sends two (docs.stripe.com/currencies).
_NO_DECIMALS = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()  # noqa: SIM905 - a table of words
)
_THREE_DECIMALS = frozenset("BHD JOD KWD OMR TND".split())  # noqa: SIM905 - likewise


def check_signature(body: bytes, header: str, secrets: Iterable[bytes], now: float) -> None:
    """Raise a Problem (401) unless the body has a v1 signature of the last five minutes. now: Unix seconds."""
    parts = [part.strip().partition("=") for part in header.split(",")]
    stamp = next((value for name, _, value in parts if name == "t"), "")
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        raise Problem(401, "Not signed", "Stripe-Signature has no time. Send it as Stripe does: t=...,v1=...")
    signed = stamp.encode() + b"." + body
    expected = [hmac.new(secret, signed, hashlib.sha256).hexdigest().encode() for secret in secrets]
    given = [value.encode() for name, _, value in parts if name == "v1"]
    if not any(hmac.compare_digest(one, other) for one in expected for other in given):
        raise Problem(401, "Wrong signature", "Check the endpoint's secret, and that no proxy changes bodies")
    if abs(now - int(stamp)) > TOLERANCE:
        raise Problem(
            401,
            "Old signature",
            "The signature is more than 5 minutes old. Check the clocks: Stripe signs each retry anew",
        )


def report(body: bytes) -> Report:
    """Return the row of one event, or raise a Problem where it is not as Stripe documents it."""
    event = decoded(body, Event)
    if event.type not in TYPES:
        return Report("conversions", ignored=f"the type {event.type} is not used: {', '.join(TYPES)} are")
    if not event.livemode:
        return Report("conversions", ignored="an event of the test mode")
    if event.type in _CHECKOUT:
        return _session(decoded(event.data.object, Session))
    if event.type == "invoice.paid":
        return _invoice(decoded(event.data.object, Invoice))
    if event.type == _INVOICE_PAYMENT:
        return _invoice_payment(decoded(event.data.object, InvoicePayment))
    if event.type == "payment_intent.succeeded":
        return _intent(decoded(event.data.object, Intent))
    if event.type == _DISPUTE:
        return _dispute(event, decoded(event.data.object, Dispute))
    return _refund(event, decoded(event.data.object, Charge))


def _session(session: Session) -> Report:
    if session.payment_status != "paid":
        return Report("conversions", ignored=f"payment_status is {session.payment_status}: no money was paid")
    if session.amount_total is None or not session.currency:
        raise Problem(400, "Not the expected JSON", "A paid session has amount_total and currency. This one lacks them")
    if session.amount_total <= 0:  # the start of a free trial, or a coupon of 100 %: Stripe calls some of them paid
        return Report("conversions", ignored="amount_total is 0: no money was paid")
    metadata, details = texts(session.metadata), texts(session.customer_details)
    visitor = real_id(metadata.get("anon_id")) or real_id(text(session.client_reference_id))
    session_id, intent = redact_id(session.id), _id(session.payment_intent)
    total, currency = session.amount_total, session.currency
    presentment = member(session.presentment_details, Presentment)
    if conversion := session.currency_conversion:  # the amounts of the session are the buyer's
        presentment = Presentment(total, currency)
        total, currency = conversion.amount_total, conversion.source_currency
    return Report(
        "conversions",
        row(
            conversion_id=f"stripe:{session_id}",
            occurred_at=instant(session.created),
            visitor_id=redact_id(visitor),
            # Not Stripe's customer, since a guest becomes a new one with each payment.
            customer_id=redact_id(metadata.get("user_id", "")),
            order_id=_order_id(metadata) or intent or session_id,
            value=decimal_text(total, currency),
            currency=currency.upper(),
            **_presentment(presentment),
            payment_ids=_ids(session.id, intent, session.invoice, session.subscription),
            properties=row(
                payment_intent=intent,
                email_hash=hash_email(details.get("email")),
                phone_hash=hash_phone(details.get("phone")),
            ),
        ),
    )


def _invoice(invoice: Invoice) -> Report:
    """Return the payment of an invoice. Later payments of a subscription are of the type renewal."""
    if invoice.amount_paid <= 0:
        return Report("conversions", ignored="amount_paid is 0: no money was paid")
    parent = member(invoice.parent, Parent) or Parent()
    subscription = (
        member(parent.subscription_details, Subscription)
        or member(invoice.subscription_details, Subscription)
        or Subscription()
    )
    metadata = texts(invoice.metadata)
    person = texts(subscription.metadata) | metadata
    transitions = member(invoice.status_transitions, Transitions) or Transitions()
    return Report(
        "conversions",
        row(
            conversion_id=f"stripe:{redact_id(invoice.id)}",
            conversion_type="renewal" if invoice.billing_reason in _RENEWALS else "purchase",
            occurred_at=instant(transitions.paid_at or invoice.created),
            visitor_id=redact_id(person.get("anon_id", "")),
            customer_id=redact_id(person.get("user_id", "")),
            # Not the metadata of the subscription: all its renewals share it.
            order_id=_order_id(metadata) or redact_id(invoice.id),
            value=decimal_text(invoice.amount_paid, invoice.currency),
            currency=invoice.currency.upper(),
            payment_ids=_ids(
                invoice.id,
                invoice.payment_intent,
                invoice.charge,
                invoice.subscription or subscription.subscription,
            ),
            properties=row(
                email_hash=hash_email(text(invoice.customer_email)), phone_hash=hash_phone(text(invoice.customer_phone))
            ),
        ),
    )


def _invoice_payment(invoice_payment: InvoicePayment) -> Report:
    """Return the ids of one payment of an invoice. The invoice has the money, which several payments can share."""
    if invoice_payment.status != "paid":
        return Report("conversions", ignored=f"the status is {invoice_payment.status}: no money was paid")
    payment = invoice_payment.payment or Payment()
    if not (payment.payment_intent or payment.charge):
        return Report("conversions", ignored="the payment has neither a payment intent nor a charge")
    transitions = member(invoice_payment.status_transitions, Transitions) or Transitions()
    return Report(
        "conversions",
        row(
            conversion_id=f"stripe:{redact_id(invoice_payment.id)}",
            occurred_at=instant(transitions.paid_at or invoice_payment.created),
            order_id=redact_id(invoice_payment.invoice),
            payment_ids=_ids(invoice_payment.invoice, payment.payment_intent, payment.charge),
        ),
    )


def _intent(intent: Intent) -> Report:
    if intent.amount_received <= 0:
        return Report("conversions", ignored="amount_received is 0: no money was paid")
    metadata = texts(intent.metadata)
    reference = texts(intent.payment_details).get("order_reference", "")
    return Report(
        "conversions",
        row(
            conversion_id=f"stripe:{redact_id(intent.id)}",
            conversion_type="purchase",
            occurred_at=instant(intent.created),
            visitor_id=redact_id(metadata.get("anon_id", "")),
            customer_id=redact_id(metadata.get("user_id", "")),
            order_id=_order_id(metadata) or redact_id(intent.id),
            value=decimal_text(intent.amount_received, intent.currency),
            currency=intent.currency.upper(),
            **_presentment(member(intent.presentment_details, Presentment)),
            payment_ids=_ids(
                intent.id,
                intent.latest_charge,
                intent.invoice,
                reference if _INVOICE_ID.fullmatch(reference) else None,
            ),
            properties=row(email_hash=hash_email(text(intent.receipt_email))),
        ),
    )


def _refund(event: Event, charge: Charge) -> Report:
    previous = event.data.previous_attributes
    before = previous.get("amount_refunded") if isinstance(previous, dict) else None
    if not isinstance(before, int):
        raise Problem(
            400, "Not the expected JSON", "previous_attributes.amount_refunded is missing. Nothing was stored"
        )
    refunded = charge.amount_refunded - before
    if released := _released(charge):
        if (text(event.api_version) or _BASIL)[: len(_BASIL)] < _BASIL:
            refunded = max(charge.amount_refunded - released, 0) - max(before - released, 0)
        if refunded == 0 or released == charge.amount:
            return Report("refunds", ignored="no money went back: the event releases an authorization")
    intent = _id(charge.payment_intent)
    total = charge.amount_captured or charge.amount
    return Report(
        "refunds",
        row(
            refund_id=f"stripe:{redact_id(event.id)}",
            occurred_at=instant(event.created),
            order_id=_order_id(texts(charge.metadata)) or intent or redact_id(charge.id),
            value=decimal_text(refunded, charge.currency),
            currency=charge.currency.upper(),
            order_value=total and decimal_text(total, charge.currency),
            payment_ids=_ids(charge.id, intent, charge.invoice, charge.subscription),
        ),
    )


def _released(charge: Charge) -> int:
    """Return the authorized amount that was never captured: all of a cancelled payment."""
    if charge.amount is None:
        return 0
    captured = charge.amount_captured or (0 if charge.captured is False else charge.amount)
    return max(charge.amount - captured, 0)


def _dispute(event: Event, dispute: Dispute) -> Report:
    """Return a lost dispute as a refund: the bank returned the money, and charge.refunded does not report it."""
    if dispute.status != "lost":
        return Report("refunds", ignored=f"the dispute is {dispute.status}: no money went back")
    intent, charge = _id(dispute.payment_intent), _id(dispute.charge)
    return Report(
        "refunds",
        row(
            refund_id=f"stripe:{redact_id(dispute.id)}",
            occurred_at=instant(event.created),
            order_id=intent or charge or redact_id(dispute.id),
            value=decimal_text(dispute.amount, dispute.currency),
            currency=dispute.currency.upper(),
            reason="dispute",
            payment_ids=_ids(charge, intent),
        ),
    )


def _presentment(details: Presentment | None) -> dict[str, str]:
    """Return the columns of what the buyer paid, where that is not the currency of the price."""
    if not details:
        return {}
    amount = decimal_text(details.presentment_amount, details.presentment_currency)
    return {"presentment_value": amount, "presentment_currency": details.presentment_currency.upper()}


def _id(reference: Reference) -> str | None:
    """Return the id of an object that Stripe sends whole, or as its id; without personal data."""
    found = reference.get("id") if isinstance(reference, dict) else reference
    return redact_id(found) if isinstance(found, str) else None


def _order_id(metadata: dict[str, str]) -> str | None:
    """Return the shop's id of the order, which the shop may send as metadata."""
    return redact_id(real_id(metadata.get("order_id")))


def _ids(*references: Reference) -> str:
    """Return the ids of a payment, each once, separated by spaces."""
    return " ".join(dict.fromkeys(found for found in map(_id, references) if found and " " not in found))


def decimal_text(amount: int, currency: str) -> str:
    """Return an amount in Stripe's smallest unit as a decimal: 1050 usd is 10.50, 1050 jpy is 1050."""
    code = currency.upper()
    decimals = 0 if code in _NO_DECIMALS else 3 if code in _THREE_DECIMALS else 2
    return money(Decimal(amount).scaleb(-decimals))
