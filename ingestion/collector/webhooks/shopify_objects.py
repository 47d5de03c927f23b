"""The members of Shopify's objects that become columns of rows.

In: JSON of Shopify's webhooks. Out: structs. A member that a payload can lack has a default.
"""

from __future__ import annotations

from decimal import Decimal

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


class Attribute(msgspec.Struct):
    name: str
    value: str | int | float | bool | None = None


class Customer(msgspec.Struct):
    id: int | None = None
    email: str | None = None
    phone: str | None = None


class Order(msgspec.Struct):
    id: int
    created_at: Moment
    total_price: Decimal
    currency: str  # the shop's
    processed_at: msgspec.Raw = ABSENT
    total_price_set: MoneySet | None = None
    current_total_price: msgspec.Raw = ABSENT
    current_total_price_set: msgspec.Raw = ABSENT
    refunds: msgspec.Raw = ABSENT
    financial_status: str | None = None
    cancelled_at: Moment | None = None
    test: bool | None = False
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    customer: Customer | None = None
    note_attributes: list[Attribute] = []

    def __post_init__(self) -> None:
        _check_amount(self.total_price)


class Transaction(msgspec.Struct):
    id: int
    kind: str
    status: str
    amount: Decimal
    currency: str
    order_id: int | None = None
    created_at: Moment | None = None
    processed_at: Moment | None = None
    amount_set: MoneySet | None = None
    test: bool | None = False


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
    id: int
    order_id: int
    created_at: Moment
    transactions: list[Transaction] = []
    refund_line_items: list[RefundedLine] = []
    refund_shipping_lines: list[RefundedShipping] = []
    order_adjustments: list[Adjustment] = []
