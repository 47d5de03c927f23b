"""The members of Stripe's objects that become columns of rows.

In: JSON of Stripe's events. Out: structs. A member that an API version lacks has a default. A member that a row can
lack is of the type Any or Raw: no payment is lost for its form.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ingestion.collector.webhooks.report import ABSENT

Reference = Any  # an object of Stripe: its id, or all of it


class Data(msgspec.Struct):
    object: msgspec.Raw
    previous_attributes: Any = None


class Event(msgspec.Struct):
    id: str
    type: str
    created: int
    data: Data
    api_version: Any = None  # a text such as 2024-06-20 or 2025-03-31.basil
    livemode: bool = True


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
    client_reference_id: Any = None
    customer_details: Any = None
    payment_intent: Reference = None
    invoice: Reference = None
    subscription: Reference = None
    currency_conversion: CurrencyConversion | None = None
    presentment_details: msgspec.Raw = ABSENT
    metadata: Any = None


class Subscription(msgspec.Struct):
    subscription: Reference = None
    metadata: Any = None


class Parent(msgspec.Struct):
    subscription_details: msgspec.Raw = ABSENT


class Transitions(msgspec.Struct):
    paid_at: int | None = None


class Invoice(msgspec.Struct):
    id: str
    created: int
    amount_paid: int
    currency: str
    billing_reason: Any = None
    customer_email: Any = None
    customer_phone: Any = None
    payment_intent: Reference = None
    charge: Reference = None
    subscription: Reference = None
    subscription_details: msgspec.Raw = ABSENT
    parent: msgspec.Raw = ABSENT
    status_transitions: msgspec.Raw = ABSENT
    metadata: Any = None


class Payment(msgspec.Struct):
    payment_intent: Reference = None
    charge: Reference = None


class InvoicePayment(msgspec.Struct):
    id: str
    created: int
    status: str
    invoice: str
    payment: Payment | None = None
    status_transitions: msgspec.Raw = ABSENT


class Intent(msgspec.Struct):
    id: str
    created: int
    amount_received: int
    currency: str
    latest_charge: Reference = None
    invoice: Reference = None
    payment_details: Any = None
    receipt_email: Any = None
    presentment_details: msgspec.Raw = ABSENT
    metadata: Any = None


class Charge(msgspec.Struct):
    id: str
    amount_refunded: int
    currency: str
    amount: int | None = None
    amount_captured: int | None = None
    captured: Any = None
    payment_intent: Reference = None
    invoice: Reference = None
    subscription: Reference = None
    metadata: Any = None


class Dispute(msgspec.Struct):
    id: str
    amount: int
    currency: str
    status: str
    charge: Reference = None
    payment_intent: Reference = None
