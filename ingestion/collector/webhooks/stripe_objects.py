"""The members of Stripe's objects that become columns of rows.

In: JSON of Stripe's events. Out: structs. A member that an API version lacks has a default.
"""

from __future__ import annotations

from typing import Any

import msgspec

Reference = str | dict[str, Any] | None  # an object of Stripe: its id, or all of it


class Data(msgspec.Struct):
    object: msgspec.Raw
    previous_attributes: dict[str, Any] | None = None


class Event(msgspec.Struct):
    id: str
    type: str
    created: int
    data: Data
    api_version: str | None = None  # such as 2024-06-20 or 2025-03-31.basil
    livemode: bool = True


class Details(msgspec.Struct):
    email: str | None = None
    phone: str | None = None


class CurrencyConversion(msgspec.Struct):
    amount_total: int
    source_currency: str


class Presentment(msgspec.Struct):
    presentment_amount: int
    presentment_currency: str


class Session(msgspec.Struct):
    id: str
    created: int
    payment_status: str
    amount_total: int | None = None
    currency: str | None = None
    client_reference_id: str | None = None
    customer_details: Details | None = None
    payment_intent: Reference = None
    invoice: Reference = None
    subscription: Reference = None
    currency_conversion: CurrencyConversion | None = None
    presentment_details: Presentment | None = None
    metadata: dict[str, str] | None = None


class Subscription(msgspec.Struct):
    subscription: Reference = None
    metadata: dict[str, str] | None = None


class Parent(msgspec.Struct):
    subscription_details: Subscription | None = None


class Transitions(msgspec.Struct):
    paid_at: int | None = None


class Invoice(msgspec.Struct):
    id: str
    created: int
    amount_paid: int
    currency: str
    billing_reason: str | None = None
    customer_email: str | None = None
    customer_phone: str | None = None
    payment_intent: Reference = None
    charge: Reference = None
    subscription: Reference = None
    subscription_details: Subscription | None = None
    parent: Parent | None = None
    status_transitions: Transitions | None = None
    metadata: dict[str, str] | None = None


class Payment(msgspec.Struct):
    payment_intent: Reference = None
    charge: Reference = None


class InvoicePayment(msgspec.Struct):
    id: str
    created: int
    status: str
    invoice: str
    payment: Payment | None = None
    status_transitions: Transitions | None = None


class PaymentDetails(msgspec.Struct):
    order_reference: str | None = None


class Intent(msgspec.Struct):
    id: str
    created: int
    amount_received: int
    currency: str
    latest_charge: Reference = None
    invoice: Reference = None
    payment_details: PaymentDetails | None = None
    receipt_email: str | None = None
    presentment_details: Presentment | None = None
    metadata: dict[str, str] | None = None


class Charge(msgspec.Struct):
    id: str
    amount_refunded: int
    currency: str
    amount: int | None = None
    amount_captured: int | None = None
    captured: bool | None = None
    payment_intent: Reference = None
    invoice: Reference = None
    subscription: Reference = None
    metadata: dict[str, str] | None = None


class Dispute(msgspec.Struct):
    id: str
    amount: int
    currency: str
    status: str
    charge: Reference = None
    payment_intent: Reference = None
