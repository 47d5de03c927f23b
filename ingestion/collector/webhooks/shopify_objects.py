"""The members of Shopify's objects that become columns of rows.

In: JSON of Shopify's webhooks. Out: structs. A member that a row can lack is of the type Any or Raw, with a default: no
order is lost for its form.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from ingestion.collector.webhooks.report import ABSENT, Moment


def is_amount(amount: Decimal) -> bool:
    return amount.is_finite() and abs(amount) < 10**12


def _check_amount(amount: Decimal) -> None:
    """Raise ValueError, which makes msgspec reject the member, unless it is an amount of money."""
    if not is_amount(amount):
        raise ValueError("an amount of money must be below 1e12")


class Money(msgspec.Struct):
    amount: Decimal
    currency_code: str

    def __post_init__(self) -> None:
        _check_amount(self.amount)


class MoneySet(msgspec.Struct):
    """One amount in the currency of the shop and in that of the buyer."""

    shop_money: Money
    presentment_money: Money


class Order(msgspec.Struct):
    id: int
    total_price: Decimal
    currency: str  # the shop's
    financial_status: str | None = None
    created_at: msgspec.Raw = ABSENT
    processed_at: msgspec.Raw = ABSENT
    total_price_set: msgspec.Raw = ABSENT
    current_total_price: msgspec.Raw = ABSENT
    current_total_price_set: msgspec.Raw = ABSENT
    refunds: msgspec.Raw = ABSENT
    test: Any = False
    name: Any = None
    email: Any = None
    phone: Any = None
    customer: Any = None
    note_attributes: Any = None

    def __post_init__(self) -> None:
        _check_amount(self.total_price)


class Cancellation(msgspec.Struct):
    """A cancelled order."""

    id: int
    cancelled_at: Moment | None = None
    test: Any = False


class Transaction(msgspec.Struct):
    id: int
    kind: str
    status: str
    amount: msgspec.Raw = ABSENT
    currency: Any = None  # the buyer's; null is that of the order
    order_id: int | None = None
    created_at: msgspec.Raw = ABSENT
    processed_at: msgspec.Raw = ABSENT
    amount_set: msgspec.Raw = ABSENT
    test: Any = False


class Returned(msgspec.Struct):
    """A transaction of a refund in an order."""

    kind: str
    status: str
    amount: Decimal
    currency: str | None = None
    amount_set: MoneySet | None = None

    def __post_init__(self) -> None:
        _check_amount(self.amount)


class OrderRefund(msgspec.Struct):
    transactions: list[Returned]


class RefundedLine(msgspec.Struct):
    subtotal_set: MoneySet | None = None
    total_tax_set: MoneySet | None = None


class RefundedShipping(msgspec.Struct):
    subtotal_amount_set: MoneySet | None = None


class Adjustment(msgspec.Struct):
    amount_set: MoneySet | None = None
    tax_amount_set: MoneySet | None = None


class Refund(msgspec.Struct):
    order_id: int
    created_at: msgspec.Raw = ABSENT
    transactions: list[Transaction] | None = None
    refund_line_items: msgspec.Raw = ABSENT
    refund_shipping_lines: msgspec.Raw = ABSENT
    order_adjustments: msgspec.Raw = ABSENT
