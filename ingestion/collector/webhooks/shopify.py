"""Turn Shopify's order webhooks into conversions and refunds.

In: the raw body and the topic of one delivery, signed. Out: a Report.

An order is one conversion once it is paid, whichever topic reports it first. Its row has only members that do not
change between orders/create and orders/paid, so that both give the same row; and only members of the signed body.
Each successful refund transaction is one refund. Shopify sends refunds/create once, while the money may still be
pending, and order_transactions/create when the transaction succeeds.
Source: shopify.dev/docs/api/webhooks (topics), .../apps/build/webhooks/verify-deliveries.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import msgspec

from ingestion.collector.problems import Problem
from ingestion.collector.webhooks.report import Moment, Report, decoded, instant, money, row
from ingestion.privacy.redact import hash_email, hash_phone, redact_id, redact_text

TOPICS = ("orders/create", "orders/paid", "orders/cancelled", "order_transactions/create", "refunds/create")
_PAID = ("paid", "partially_refunded", "refunded")
_VISITOR = ("tributary_anon_id", "_tributary_anon_id")  # an underscore hides an attribute from the checkout


class _Money(msgspec.Struct):
    amount: Decimal
    currency_code: str


class _MoneySet(msgspec.Struct):
    """One amount in the currency of the shop and in that of the buyer."""

    shop_money: _Money
    presentment_money: _Money


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
    total_price_set: _MoneySet | None = None
    financial_status: str | None = None
    cancelled_at: Moment | None = None
    test: bool | None = False
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    customer: _Customer | None = None
    note_attributes: list[_Attribute] = []


class _Transaction(msgspec.Struct):
    id: int
    kind: str
    status: str
    amount: Decimal
    currency: str
    order_id: int | None = None
    created_at: Moment | None = None
    processed_at: Moment | None = None
    amount_set: _MoneySet | None = None
    test: bool | None = False


class _RefundedLine(msgspec.Struct):
    subtotal_set: _MoneySet | None = None
    total_tax_set: _MoneySet | None = None


class _RefundedShipping(msgspec.Struct):
    subtotal_amount_set: _MoneySet | None = None


class _Adjustment(msgspec.Struct):
    amount_set: _MoneySet | None = None
    tax_amount_set: _MoneySet | None = None


class _Refund(msgspec.Struct):
    id: int
    order_id: int
    created_at: Moment
    transactions: list[_Transaction] = []
    refund_line_items: list[_RefundedLine] = []
    refund_shipping_lines: list[_RefundedShipping] = []
    order_adjustments: list[_Adjustment] = []


def is_signed(body: bytes, signature: str, secrets: Iterable[bytes]) -> bool:
    """Return whether X-Shopify-Hmac-Sha256 is the base64 of the body's HMAC-SHA256 with one of the secrets."""
    expected = [base64.b64encode(hmac.digest(secret, body, hashlib.sha256)) for secret in secrets]
    return any(hmac.compare_digest(each, signature.encode()) for each in expected)


def report(body: bytes, topic: str) -> Report:
    """Return the row of one delivery, or raise a Problem where it is not as Shopify documents it."""
    match topic:
        case "orders/create" | "orders/paid":
            return _conversion(decoded(body, _Order))
        case "orders/cancelled":
            return _cancellation(decoded(body, _Order))
        case "order_transactions/create":
            return _transaction(decoded(body, _Transaction))
        case "refunds/create":
            return _refund(decoded(body, _Refund))
    return Report("conversions", ignored=f"the topic {topic or '(none)'} is not used: {', '.join(TOPICS)} are")


def _conversion(order: _Order) -> Report:
    if order.test:
        return Report("conversions", ignored="a test order")
    if order.financial_status not in _PAID:
        return Report("conversions", ignored=f"not paid yet ({order.financial_status}): orders/paid will count it")
    customer = order.customer or _Customer()
    paid = order.total_price_set and order.total_price_set.presentment_money
    is_converted = paid and paid.currency_code != order.currency
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
            presentment_value=money(paid.amount) if paid and is_converted else None,
            presentment_currency=paid.currency_code if paid and is_converted else None,
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


def _transaction(transaction: _Transaction) -> Report:
    """Return a refund whose money went back. Payments count as orders, not as transactions."""
    if transaction.kind != "refund" or transaction.status != "success":
        state = f"{transaction.kind}, {transaction.status}"
        return Report("refunds", ignored=f"no money went back: the transaction is no successful refund ({state})")
    if transaction.test:
        return Report("refunds", ignored="a test transaction")
    if not transaction.order_id:
        raise Problem(400, "Not the expected JSON", "A refund transaction has an order_id. This one lacks it")
    return Report("refunds", _refund_row(transaction, transaction.order_id, None, None))


def _refund(refund: _Refund) -> Report:
    """Return the transactions whose money went back. A refund that only restocks has none."""
    returned = [t for t in refund.transactions if t.kind == "refund" and t.status == "success" and not t.test]
    if not returned:
        return Report(
            "refunds",
            ignored="no money went back: no transaction is a successful refund. "
            "order_transactions/create reports it once it succeeds",
        )
    by_lines = _shop_money(refund, returned[0]) if len(returned) == 1 else None
    first, *others = (_refund_row(each, refund.order_id, refund.created_at, by_lines) for each in returned)
    return Report("refunds", first, more=tuple(others))


def _refund_row(
    transaction: _Transaction, order_id: int, created_at: Moment | None, by_lines: _Money | None
) -> dict[str, Any]:
    """Return the refund of a transaction, in the shop's currency where the payload states it.

    Otherwise it is in the buyer's currency, and the marts convert it by the ratio of the order's two amounts.
    """
    moment = transaction.processed_at or transaction.created_at or created_at
    if moment is None:
        raise Problem(400, "Not the expected JSON", "A refund transaction has processed_at. This one lacks it")
    stated = transaction.amount_set.shop_money if transaction.amount_set else by_lines
    paid = stated or _Money(transaction.amount, transaction.currency)
    return row(
        refund_id=f"shopify:transaction:{transaction.id}",
        occurred_at=instant(moment),
        order_id=str(order_id),
        value=money(paid.amount),
        currency=paid.currency_code,
    )


def _shop_money(refund: _Refund, transaction: _Transaction) -> _Money | None:
    """Return the refund's lines in the shop's currency, or None where they are not what the transaction returned."""
    lines = [each for line in refund.refund_line_items for each in (line.subtotal_set, line.total_tax_set) if each]
    lines += [line.subtotal_amount_set for line in refund.refund_shipping_lines if line.subtotal_amount_set]
    # Shopify states what an adjustment adds to the order, so that refunded shipping is negative.
    added = [each for a in refund.order_adjustments for each in (a.amount_set, a.tax_amount_set) if each]
    in_presentment = _sum(lines, added, lambda each: each.presentment_money)
    # Store credit and fees can make the transaction differ from the lines.
    if in_presentment and in_presentment == _Money(transaction.amount, transaction.currency):
        return _sum(lines, added, lambda each: each.shop_money)
    return None


def _sum(plus: list[_MoneySet], minus: list[_MoneySet], side: Callable[[_MoneySet], _Money]) -> _Money | None:
    """Return the sum of one side of the amounts, or None where there is none or several currencies."""
    currencies = {side(each).currency_code for each in (*plus, *minus)}
    if len(currencies) != 1:
        return None
    total = sum((side(each).amount for each in plus), Decimal()) - sum((side(each).amount for each in minus), Decimal())
    return _Money(total, currencies.pop())


def _visitor(attributes: list[_Attribute]) -> str | None:
    return next((redact_id(str(a.value).strip()) for a in attributes if a.name in _VISITOR and a.value), None)
