"""Turn Shopify's order webhooks into conversions and refunds.

In: the raw body and the topic of one delivery, signed. Out: a Report.

An order is one conversion once it is paid, whichever topic reports it first. Its row has only members that do not
change between orders/create and orders/paid, so that both give the same row; and only members of the signed body.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from decimal import Decimal

import msgspec

from ingestion.collector.webhooks.report import Moment, Report, decoded, instant, money, row
from ingestion.privacy.redact import hash_email, hash_phone, redact_id, redact_text

TOPICS = ("orders/create", "orders/paid", "orders/cancelled", "refunds/create")
_PAID = ("paid", "partially_refunded", "refunded")
_VISITOR = ("tributary_anon_id", "_tributary_anon_id")  # an underscore hides an attribute from the checkout


class _Attribute(msgspec.Struct):
    name: str
    value: str | int | float | bool | None = None


class _Customer(msgspec.Struct):
    id: int | None = None
    email: str | None = None
    phone: str | None = None


class _Order(msgspec.Struct):
    id: int
    created_at: Moment
    total_price: Decimal
    currency: str  # the shop's
    financial_status: str | None = None
    cancelled_at: Moment | None = None
    test: bool | None = False
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    customer: _Customer | None = None
    note_attributes: list[_Attribute] = []


class _Transaction(msgspec.Struct):
    kind: str
    status: str
    amount: Decimal
    currency: str
    test: bool | None = False


class _Refund(msgspec.Struct):
    id: int
    order_id: int
    created_at: Moment
    transactions: list[_Transaction] = []


def is_signed(body: bytes, signature: str, secret: bytes) -> bool:
    """Return whether X-Shopify-Hmac-Sha256 is the base64 of the body's HMAC-SHA256."""
    expected = base64.b64encode(hmac.digest(secret, body, hashlib.sha256))
    return hmac.compare_digest(expected, signature.encode())


def report(body: bytes, topic: str) -> Report:
    """Return the row of one delivery, or raise a Problem where it is not as Shopify documents it."""
    match topic:
        case "orders/create" | "orders/paid":
            return _conversion(decoded(body, _Order))
        case "orders/cancelled":
            return _cancellation(decoded(body, _Order))
        case "refunds/create":
            return _refund(decoded(body, _Refund))
    return Report("conversions", ignored=f"the topic {topic or '(none)'} is not used: {', '.join(TOPICS)} are")


def _conversion(order: _Order) -> Report:
    if order.test:
        return Report("conversions", ignored="a test order")
    if order.financial_status not in _PAID:
        return Report("conversions", ignored=f"not paid yet ({order.financial_status}): orders/paid will count it")
    customer = order.customer or _Customer()
    return Report(
        "conversions",
        row(
            conversion_id=f"shopify:{order.id}",
            occurred_at=instant(order.created_at),
            visitor_id=_visitor(order.note_attributes),
            customer_id=customer.id and str(customer.id),  # a guest has none: the address's hash identifies the person
            order_id=str(order.id),
            value=money(order.total_price),
            currency=order.currency,
            properties=row(
                order_name=redact_text(order.name or ""),
                email_hash=hash_email(order.email or customer.email),
                phone_hash=hash_phone(order.phone or customer.phone),
            ),
        ),
    )


def _cancellation(order: _Order) -> Report:
    if order.test:
        return Report("refunds", ignored="a test order")
    if not order.cancelled_at:
        return Report("refunds", ignored="not cancelled: cancelled_at is empty")
    return Report(
        "refunds",
        row(
            refund_id=f"shopify:{order.id}:cancelled",
            occurred_at=instant(order.cancelled_at),
            order_id=str(order.id),
            reason="cancelled",
        ),
    )


def _refund(refund: _Refund) -> Report:
    """Return the money that went back. A refund that only restocks returns none."""
    returned = [t for t in refund.transactions if t.kind == "refund" and t.status == "success" and not t.test]
    if not returned:
        return Report("refunds", ignored="no money went back: no transaction is a successful refund")
    return Report(
        "refunds",
        row(
            refund_id=f"shopify:{refund.id}",
            occurred_at=instant(refund.created_at),
            order_id=str(refund.order_id),
            value=money(sum((t.amount for t in returned), Decimal())),
            currency=returned[0].currency,
        ),
    )


def _visitor(attributes: list[_Attribute]) -> str | None:
    return next((redact_id(str(a.value).strip()) for a in attributes if a.name in _VISITOR and a.value), None)
