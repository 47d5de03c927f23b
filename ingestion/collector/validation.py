"""Validate events by the layers that types do not cover: business rules, references, properties of a type.

In: an Event with the right types and without personal data. Out: a Row of raw.events; or Rejected, which
names the layer, the reason and the remedy.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import msgspec

from ingestion.collector.events import Event, forget_person
from ingestion.event_types import BUILT_IN
from ingestion.privacy.redact import hash_email, hash_phone, redact_text
from ingestion.settings.model import Property, Settings, Site
from ingestion.settings.values import CURRENCIES, SAMPLES

FUTURE = timedelta(minutes=5)
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
}


class Rejected(Exception):
    """The collector rejects one event; the others of its request stand."""

    def __init__(self, layer: str, reason: str, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.layer, self.reason, self.detail, self.field = layer, reason, detail, field


class Row(msgspec.Struct, omit_defaults=True, gc=False):
    """An event as a row of raw.events, without the columns that its receipt holds for all rows."""

    event_id: str
    type: str
    anon_id: str | None = ""
    session_id: str | None = ""
    user_id: str | None = ""
    url: str | None = ""
    path: str | None = ""
    title: str | None = ""
    referrer: str | None = ""
    currency: str | None = ""
    order_id: str | None = ""
    conversion_type: str | None = ""
    email_hash: str | None = ""
    phone_hash: str | None = ""
    entity_type: str | None = ""
    entity_id: str | None = ""
    source: str | None = ""
    medium: str | None = ""
    campaign: str | None = ""
    campaign_id: str | None = ""
    content: str | None = ""
    term: str | None = ""
    click_ids: str | None = ""
    channel: str | None = ""
    consent: bool | None = None
    sample_percent: int | None = None
    is_replay: bool | None = None
    properties: dict[str, Any] | None = None
    occurred_at: datetime | None = None  # UTC; null: when it was received
    value_micros: int | None = None
    has_own_id: bool = True


class Rules(msgspec.Struct, frozen=True):
    """The rules for the events of one site."""

    types: dict[str, dict[str, Property]]  # known type -> its declared properties
    max_age: timedelta
    max_value: Decimal


class Window(msgspec.Struct, frozen=True):
    """When an event may have happened."""

    earliest: datetime
    latest: datetime


def rules_of(site: Site, settings: Settings) -> Rules:
    """Return the rules that tributary.yaml sets for a site."""
    types: dict[str, dict[str, Property]] = {key: {} for key in BUILT_IN}
    types |= {declared.type: declared.properties for declared in settings.event_types}
    max_age = timedelta(days=site.max_event_age_days)
    return Rules(types, max_age, Decimal(str(settings.collector.max_value)))


def window(rules: Rules, received_at: datetime) -> Window:
    """Return when an event received at this moment may have happened."""
    return Window(received_at - rules.max_age, received_at + FUTURE)


def row_of(event: Event, rules: Rules, allowed: Window, *, daily_id: str = "", new_id: str = "") -> Row:
    """Return the event as a row, or raise Rejected.

    daily_id: of the visitor of a cookieless site, else empty. new_id: for an event without an id, else empty.
    """
    if event.consent is False:
        forget_person(event)
        daily_id = ""
    row = Row(
        event_id=event.event_id or "",
        type=event.type,
        anon_id=event.anon_id,
        session_id=event.session_id,
        user_id=event.user_id,
        url=event.url,
        path=event.path,
        title=event.title,
        referrer=event.referrer,
        currency=event.currency,
        order_id=event.order_id,
        conversion_type=event.conversion_type,
        email_hash=event.email_hash,
        phone_hash=event.phone_hash,
        entity_type=event.entity_type,
        entity_id=event.entity_id,
        source=event.source,
        medium=event.medium,
        campaign=event.campaign,
        campaign_id=event.campaign_id,
        content=event.content,
        term=event.term,
        click_ids=event.click_ids,
        channel=event.channel,
        consent=event.consent,
        sample_percent=event.sample_percent,
        is_replay=event.is_replay,
        properties=event.properties,
    )
    declared = rules.types.get(event.type)
    if declared is None:
        row.type, declared = _known_type(event, rules)
    if event.timestamp is not None:
        row.occurred_at = _moment(event.timestamp, allowed)
    if event.value is not msgspec.UNSET:
        row.value_micros = _micros(event.value, row.type, rules.max_value)
    if event.currency and event.currency not in CURRENCIES:
        row.currency = _currency(event.currency)
    if daily_id:
        row.anon_id = daily_id
    elif not event.anon_id:
        _check_person(event)
    if event.email or event.phone:
        row.email_hash = hash_email(event.email) if event.email else event.email_hash
        row.phone_hash = hash_phone(event.phone) if event.phone else event.phone_hash
    if event.entity_type or event.entity_id or event.sample_percent:
        _check_references(event)
    if event.properties is not None:
        row.properties = event.properties or None
    if declared:
        _check_properties(row.type, row.properties or {}, declared)
    if new_id:
        row.event_id, row.has_own_id = new_id, False
    return row


def _known_type(event: Event, rules: Rules) -> tuple[str, dict[str, Property]]:
    if not event.type:
        detail = "type is missing. Name what happened, such as PAGE_VIEW or CONVERSION"
        raise Rejected("schema", "missing_value", detail, "type")
    kind = event.type.strip().upper()
    if kind not in rules.types:
        shown = redact_text(event.type[:64])
        detail = f"type {shown} is not known. Use a built-in type, or declare this one under event_types"
        raise Rejected("business", "unknown_type", detail, "type")
    return kind, rules.types[kind]


def _moment(given: datetime | int, allowed: Window) -> datetime:
    if isinstance(given, int):
        try:
            when = datetime.fromtimestamp(given / 1000, UTC)
        except (OverflowError, ValueError, OSError):
            detail = "timestamp is not a moment in milliseconds since 1970"
            raise Rejected("schema", "bad_timestamp", detail, "timestamp") from None
    else:
        when = given
    if when > allowed.latest:
        detail = "timestamp is more than 5 minutes in the future. Set the sender's clock"
        raise Rejected("business", "future_timestamp", detail, "timestamp")
    if when < allowed.earliest:
        detail = f"timestamp is before {allowed.earliest:%Y-%m-%d %H:%M} UTC. Import older events from a file"
        raise Rejected("business", "too_old", detail, "timestamp")
    return when if when.tzinfo is UTC else when.astimezone(UTC)


def _micros(value: Decimal | None, event_type: str, limit: Decimal) -> int | None:
    if value is None:  # of an order without a refund, too
        return 0 if event_type == "REFUND" else None
    if not value.is_finite() or not -limit <= value <= limit:
        raise Rejected("business", "bad_value", f"value is not an amount from -{limit} to {limit}", "value")
    try:
        return int((value * 1_000_000).quantize(Decimal(1), ROUND_HALF_UP))
    except InvalidOperation:
        raise Rejected("business", "bad_value", "value has too many digits", "value") from None


def _currency(currency: str) -> str:
    if currency.strip().upper() not in CURRENCIES:
        detail = "currency is not an ISO 4217 code. Send one such as USD"
        raise Rejected("business", "bad_currency", detail, "currency")
    return currency.strip().upper()


def _check_person(event: Event) -> None:
    contact = event.email or event.phone or event.email_hash or event.phone_hash
    if not (contact or event.user_id or event.order_id or event.consent is False):
        detail = "the event names nobody. Send anonId, or userId, email, phone or orderId, or consent false"
        raise Rejected("schema", "missing_person", detail, "anonId")


def _check_references(event: Event) -> None:
    """Reject half an entity, and a share of visitors that no site has: the marts weight visitors by it."""
    if bool(event.entity_type) != bool(event.entity_id):
        field = "entityType" if event.entity_id else "entityId"
        detail = f"{field} is missing. Send entityType and entityId together, or neither"
        raise Rejected("reference", "incomplete_entity", detail, field)
    if event.sample_percent and event.sample_percent not in SAMPLES:
        detail = f"samplePercent {event.sample_percent} is not one of {', '.join(map(str, SAMPLES))}"
        raise Rejected("business", "unknown_sample", detail, "samplePercent")


def _check_properties(kind: str, properties: dict[str, Any], declared: dict[str, Property]) -> None:
    for name, rule in declared.items():
        value, field = properties.get(name), f"properties.{name}"
        if value is None:
            if rule.required:
                raise Rejected("properties", "missing_property", f"{field} is missing. {kind} requires it", field)
            continue
        if not isinstance(value, _JSON_TYPES[rule.type]) or (rule.type != "boolean" and isinstance(value, bool)):
            raise Rejected("properties", "bad_property", f"{field} is not of type {rule.type}", field)
        if rule.one_of is not None and value not in rule.one_of:
            allowed = ", ".join(map(str, rule.one_of))
            raise Rejected("properties", "bad_property", f"{field} is not one of {allowed}", field)
