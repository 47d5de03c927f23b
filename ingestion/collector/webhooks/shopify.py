"""Turn Shopify's order webhooks into conversions and refunds.

In: the raw body and the topic of one delivery, signed. Out: a Report.

An order is one conversion once it is paid, whichever topic reports it first. Its row has only members that do not
change between orders/create and orders/paid, so that both give the same row; and only members of the signed body.
Its value is the total at payment: Shopify's total_price includes items that were removed before, current_total_price
lacks them, but also lacks items that were refunded since.
Each successful refund transaction is one refund. Shopify sends refunds/create once, while the money may still be
pending, and order_transactions/create when the transaction succeeds.
Source: shopify.dev/docs/api/webhooks (topics), .../apps/build/webhooks/verify-deliveries.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from ingestion.collector.problems import Problem
from ingestion.collector.webhooks.report import (
    ABSENT,
    Moment,
    Report,
    decoded,
    instant,
    member,
    money,
    row,
    text,
    texts,
)
from ingestion.collector.webhooks.shopify_objects import (
    Adjustment,
    Cancellation,
    Money,
    MoneySet,
    Order,
    OrderRefund,
    Refund,
    RefundedLine,
    RefundedShipping,
    Returned,
    Transaction,
    is_amount,
)
from ingestion.privacy.redact import hash_email, hash_phone, redact_id, redact_text

TOPICS = ("orders/create", "orders/paid", "orders/cancelled", "order_transactions/create", "refunds/create")
_PAID = ("paid", "partially_refunded", "refunded")
_VISITOR = ("tributary_anon_id", "_tributary_anon_id")  # an underscore hides an attribute from the checkout


def is_signed(body: bytes, signature: str, secrets: Iterable[bytes]) -> bool:
    """Return whether X-Shopify-Hmac-Sha256 is the base64 of the body's HMAC-SHA256 with one of the secrets."""
    expected = [base64.b64encode(hmac.digest(secret, body, hashlib.sha256)) for secret in secrets]
    return any(hmac.compare_digest(each, signature.encode()) for each in expected)


def report(body: bytes, topic: str) -> Report:
    """Return the row of one delivery, or raise a Problem where it is not as Shopify documents it."""
    match topic:
        case "orders/create" | "orders/paid":
            return _conversion(decoded(body, Order))
        case "orders/cancelled":
            return _cancellation(decoded(body, Cancellation))
        case "order_transactions/create":
            return _transaction(decoded(body, Transaction))
        case "refunds/create":
            return _refund(decoded(body, Refund))
    return Report("conversions", ignored=f"the topic {topic or '(none)'} is not used: {', '.join(TOPICS)} are")


def _conversion(order: Order) -> Report:
    if order.test is True:
        return Report("conversions", ignored="a test order")
    if order.financial_status not in _PAID:
        return Report("conversions", ignored=f"not paid yet ({order.financial_status}): orders/paid will count it")
    moment = _first_moment(order.processed_at, order.created_at)
    if moment is None:
        raise Problem(400, "Not the expected JSON", "An order has created_at. This one lacks it")
    customer = texts(order.customer)
    value, paid = _paid(order)
    is_converted = paid and paid.currency_code != order.currency
    return Report(
        "conversions",
        row(
            conversion_id=f"shopify:{order.id}",
            # A migrated order is created on the day of the migration, and processed when the buyer placed it.
            occurred_at=instant(moment),
            visitor_id=_visitor(order.note_attributes),
            # A guest has no id: the hash of the address identifies the person.
            customer_id=redact_id(customer.get("id", "")),
            order_id=str(order.id),
            value=money(value),
            currency=order.currency,
            presentment_value=money(paid.amount) if paid and is_converted else None,
            presentment_currency=paid.currency_code if paid and is_converted else None,
            properties=row(
                order_name=redact_text(text(order.name)),
                email_hash=hash_email(text(order.email) or customer.get("email", "")),
                phone_hash=hash_phone(text(order.phone) or customer.get("phone", "")),
            ),
        ),
    )


def _paid(order: Order) -> tuple[Decimal, Money | None]:
    """Return the total at payment in the shop's currency and in the buyer's.

    It lacks the items that were removed before. Money that went back, or is about to, is part of it: it counts as a
    refund.
    """
    stated = member(order.total_price_set, MoneySet)
    buyers = stated.presentment_money if stated else None
    total = stated or _in_one_currency(order.total_price, order.currency)
    current = member(order.current_total_price_set, MoneySet)
    if current is None and total.shop_money.currency_code == total.presentment_money.currency_code:
        price = member(order.current_total_price, Decimal)
        current = _in_one_currency(price, order.currency) if price is not None and is_amount(price) else None
    refunds = member(order.refunds, list[OrderRefund])
    if current is None or refunds is None:
        return order.total_price, buyers
    returned = [each for refund in refunds for each in refund.transactions]
    returned = [each for each in returned if each.kind == "refund" and each.status in ("success", "pending")]
    in_shop, in_buyers = (_at_payment(total, current, returned, side) for side in (_shop, _presentment))
    if in_shop is None or in_buyers is None:
        return order.total_price, buyers
    return min(order.total_price, in_shop), buyers and Money(in_buyers, buyers.currency_code)


def _at_payment(
    total: MoneySet, current: MoneySet, returned: list[Returned], side: Callable[[MoneySet], Money]
) -> Decimal | None:
    """Return one side of the total at payment, or None where it cannot be computed."""
    amounts = [side(current).amount]
    for each in returned:
        currency = each.currency or _shop(total).currency_code
        if each.amount_set:
            amounts.append(side(each.amount_set).amount)
        elif currency == side(total).currency_code:
            amounts.append(each.amount)
        else:
            other = next((o for o in (_shop(total), _presentment(total)) if o.currency_code == currency), None)
            if not other or not other.amount:
                return None
            amounts.append(round(each.amount * side(total).amount / other.amount, 6))
    paid = min(side(total).amount, sum(amounts, Decimal()))
    return paid if paid >= 0 else None


def _in_one_currency(amount: Decimal, currency: str) -> MoneySet:
    return MoneySet(Money(amount, currency), Money(amount, currency))


def _shop(amounts: MoneySet) -> Money:
    return amounts.shop_money


def _presentment(amounts: MoneySet) -> Money:
    return amounts.presentment_money


def _cancellation(order: Cancellation) -> Report:
    if order.test is True:
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


def _transaction(transaction: Transaction) -> Report:
    """Return a refund whose money went back. Payments count as orders, not as transactions."""
    if transaction.kind != "refund" or transaction.status != "success":
        state = f"{transaction.kind}, {transaction.status}"
        return Report("refunds", ignored=f"no money went back: the transaction is no successful refund ({state})")
    if transaction.test is True:
        return Report("refunds", ignored="a test transaction")
    if not transaction.order_id:
        raise Problem(400, "Not the expected JSON", "A refund transaction has an order_id. This one lacks it")
    return Report("refunds", _refund_row(transaction, transaction.order_id, ABSENT, None))


def _refund(refund: Refund) -> Report:
    """Return the transactions whose money went back. A refund that only restocks has none."""
    refunds = [each for each in refund.transactions or [] if each.kind == "refund" and each.test is not True]
    returned = [each for each in refunds if each.status == "success"]
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
    transaction: Transaction, order_id: int, created_at: msgspec.Raw, by_lines: Money | None
) -> dict[str, Any]:
    """Return the refund of a transaction, in the shop's currency where the payload states it.

    Otherwise it is in the buyer's currency, and the marts convert it by the ratio of the order's two amounts. A refund
    without a currency is in that of the order.
    """
    moment = _first_moment(transaction.processed_at, transaction.created_at, created_at)
    if moment is None:
        raise Problem(400, "Not the expected JSON", "A refund transaction has processed_at. This one lacks it")
    both = member(transaction.amount_set, MoneySet)
    stated = both.shop_money if both else by_lines
    return row(
        refund_id=f"shopify:transaction:{transaction.id}",
        occurred_at=instant(moment),
        order_id=str(order_id),
        value=money(stated.amount if stated else _amount(transaction)),
        currency=stated.currency_code if stated else text(transaction.currency),
    )


def _amount(transaction: Transaction) -> Decimal:
    amount = member(transaction.amount, Decimal)
    if amount is None or not is_amount(amount):
        raise Problem(400, "Not the expected JSON", "A refund transaction has an amount below 1e12. This one lacks it")
    return amount


def _shop_money(refund: Refund, transaction: Transaction) -> Money | None:
    """Return the refund's lines in the shop's currency, or None where they are not what the transaction returned."""
    sold = member(refund.refund_line_items, list[RefundedLine]) or []
    shipped = member(refund.refund_shipping_lines, list[RefundedShipping]) or []
    adjusted = member(refund.order_adjustments, list[Adjustment]) or []
    lines = [each for line in sold for each in (line.subtotal_set, line.total_tax_set) if each]
    lines += [line.subtotal_amount_set for line in shipped if line.subtotal_amount_set]
    # Shopify states what an adjustment adds to the order, so that refunded shipping is negative.
    added = [each for a in adjusted for each in (a.amount_set, a.tax_amount_set) if each]
    returned = _sum(lines, added, _presentment)
    # Store credit and fees can make the transaction differ from the lines.
    if not returned or returned.amount != _amount(transaction):
        return None
    is_same = (text(transaction.currency) or returned.currency_code) == returned.currency_code
    return _sum(lines, added, _shop) if is_same else None


def _sum(plus: list[MoneySet], minus: list[MoneySet], side: Callable[[MoneySet], Money]) -> Money | None:
    """Return the sum of one side of the amounts, or None where there is none or several currencies."""
    currencies = {side(each).currency_code for each in (*plus, *minus)}
    if len(currencies) != 1:
        return None
    total = sum((side(each).amount for each in plus), Decimal()) - sum((side(each).amount for each in minus), Decimal())
    return Money(total, currencies.pop()) if is_amount(total) else None


def _first_moment(*raws: msgspec.Raw) -> datetime | None:
    return next((moment for raw in raws if (moment := member(raw, Moment))), None)


def _visitor(attributes: Any) -> str | None:
    """Return the visitor of the cart. A theme or an app can give an attribute any value."""
    found = [each for each in attributes if isinstance(each, dict)] if isinstance(attributes, list) else []
    ids = (text(each.get("value")).strip() for each in found if each.get("name") in _VISITOR)
    return next((redact_id(visitor) for visitor in ids if visitor), None)
