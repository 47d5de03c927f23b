"""The layers that types do not cover: business rules, references and the properties of a type of event.

In: an Event whose types are right and whose personal data is gone. Out: a Row, or Rejected, which says in which layer,
why and what to do. `revalidate` does it again, later, to a refused event that was kept.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from ingestion.collector.messages import Event, Kept, Row
from ingestion.collector.scrub import (
    clean,
    email_hash,
    forget,
    has_personal_names,
    phone_hash,
    scrub,
    without_addresses,
    without_mail,
)
from ingestion.event_types import BUILT_IN
from ingestion.segments.format import Failed
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
    """One event is refused; the others of its request are not."""

    def __init__(self, layer: str, reason: str, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.layer, self.reason, self.detail, self.field = layer, reason, detail, field


class Rules(NamedTuple):
    """What holds for the events of one site."""

    types: dict[str, dict[str, Property]]  # known type -> its declared properties
    max_age: timedelta
    max_value: Decimal


class Window(NamedTuple):
    """When an event may have happened."""

    earliest: datetime
    latest: datetime


def rules_of(site: Site, settings: Settings) -> Rules:
    types: dict[str, dict[str, Property]] = {key: {} for key in BUILT_IN}
    types |= {declared.type: declared.properties for declared in settings.event_types}
    max_age = timedelta(days=site.max_event_age_days)
    return Rules(types, max_age, Decimal(str(settings.collector.max_value)))


def window(rules: Rules, received_at: datetime) -> Window:
    return Window(received_at - rules.max_age, received_at + FUTURE)


def row_of(event: Event, rules: Rules, allowed: Window, daily_id: str, new_id: str) -> Row:
    """The event as a row of raw.events.

    daily_id: of the visitor of a cookieless site, else empty. new_id: for an event that has none, else empty.
    """
    if event.consent is False:
        forget(event)
        daily_id = ""
    kind = event.type
    declared = rules.types.get(kind)
    if declared is None:
        kind, declared = _known_type(event, rules)
    when = event.timestamp
    if when is not None:
        when = _moment(when, allowed)
    value, currency = event.value, event.currency
    micros = None if value is None else _micros(value, rules.max_value)
    if currency and currency not in CURRENCIES:
        currency = _currency(currency)
    anon_id = event.anon_id
    if daily_id:
        anon_id = daily_id
    elif not anon_id:
        _check_person(event)
    if event.entity_type or event.entity_id:
        _check_entity(event)
    if event.sample_percent is not None:
        _check_sample(event.sample_percent)
    properties = event.properties
    if properties and has_personal_names(properties):
        properties = clean(properties)
    if declared:
        _check_properties(kind, properties or {}, declared)
    own_id = event.event_id
    return Row(
        own_id or new_id,
        kind,
        when,
        anon_id,
        event.session_id,
        event.user_id,
        event.url,
        event.path,
        event.title,
        event.referrer,
        micros,
        currency,
        event.order_id,
        event.conversion_type,
        email_hash(event.email) if event.email else event.email_hash,
        phone_hash(event.phone) if event.phone else event.phone_hash,
        event.entity_type,
        event.entity_id,
        event.consent,
        event.sample_percent,
        event.is_replay,
        properties or None,
        not new_id,
    )


def revalidate(payload: bytes, site: Site, settings: Settings, received_at: datetime) -> dict[str, Any] | Failed:
    """A refused event against today's settings: a row of raw.events, or why it is still refused.

    payload: as ingestion/collector/refused.py made it. received_at: with a zone; it counts where the payload does not
    say when the event came. Its age is measured against that moment, not against today. The row has the members of
    Row, and received_at and user_agent; occurred_at is an aware datetime, or None where received_at counts.
    """
    try:
        event = msgspec.json.decode(payload, type=Kept)
        received = event.received_at or received_at
        scrub(event)
        rules = rules_of(site, settings)
        new_id = "" if event.event_id else sha256(payload).hexdigest()[:32]  # the same when replayed twice
        row = row_of(event, rules, window(rules, received), "", new_id)
        msgspec.json.encode(row)
    except Rejected as rejected:
        return Failed(rejected.layer, rejected.reason, rejected.detail, payload.decode("utf-8", "replace"))
    except (ValueError, RecursionError, OverflowError) as error:
        return Failed("schema", "wrong_type", without_mail(str(error)), payload.decode("utf-8", "replace"))
    columns = {name: None if value == "" else value for name, value in msgspec.structs.asdict(row).items()}
    return columns | {"received_at": received, "user_agent": event.user_agent}


def new_event_id() -> str:
    return os.urandom(16).hex()


def _known_type(event: Event, rules: Rules) -> tuple[str, dict[str, Property]]:
    if not event.type:
        detail = "type is missing: name what happened, such as PAGE_VIEW or CONVERSION"
        raise Rejected("schema", "missing_value", detail, "type")
    kind = event.type.strip().upper()
    if kind not in rules.types:
        shown = without_addresses(event.type[:64])
        detail = f"type {shown} is not known: use one of the built-in types or declare it under event_types"
        raise Rejected("business", "unknown_type", detail, "type")
    return kind, rules.types[kind]


def _moment(when: datetime | int, allowed: Window) -> datetime:
    if when.__class__ is int:
        try:
            when = datetime.fromtimestamp(when / 1000, UTC)
        except (OverflowError, ValueError, OSError):
            detail = "timestamp is no moment in milliseconds since 1970"
            raise Rejected("schema", "bad_timestamp", detail, "timestamp") from None
    if when > allowed.latest:
        detail = "timestamp is more than 5 minutes in the future: set the sender's clock"
        raise Rejected("business", "future_timestamp", detail, "timestamp")
    if when < allowed.earliest:
        detail = f"timestamp is before {allowed.earliest:%Y-%m-%d %H:%M} UTC: import older events from a file"
        raise Rejected("business", "too_old", detail, "timestamp")
    return when if when.tzinfo is UTC else when.astimezone(UTC)


def _micros(value: Decimal, limit: Decimal) -> int:
    if not value.is_finite() or not -limit <= value <= limit:
        raise Rejected("business", "bad_value", f"value is not an amount from -{limit} to {limit}", "value")
    try:
        return int((value * 1_000_000).quantize(Decimal(1), ROUND_HALF_UP))
    except InvalidOperation:
        raise Rejected("business", "bad_value", "value has too many digits", "value") from None


def _currency(currency: str) -> str:
    if currency.strip().upper() not in CURRENCIES:
        detail = "currency is no ISO 4217 code: send one such as USD"
        raise Rejected("business", "bad_currency", detail, "currency")
    return currency.strip().upper()


def _check_person(event: Event) -> None:
    contact = event.email or event.phone or event.email_hash or event.phone_hash
    if not (contact or event.user_id or event.order_id or event.consent is False):
        detail = "nobody is named: send anonId, or userId, email, phone or orderId, or consent false"
        raise Rejected("schema", "missing_person", detail, "anonId")


def _check_sample(percent: int) -> None:
    """The marts weigh visitors by it: nobody may claim to stand for a hundred."""
    if percent not in SAMPLES:
        detail = f"samplePercent {percent} is none of {', '.join(map(str, SAMPLES))}"
        raise Rejected("business", "unknown_sample", detail, "samplePercent")


def _check_entity(event: Event) -> None:
    if not (event.entity_type and event.entity_id):
        field = "entityType" if event.entity_id else "entityId"
        detail = f"{field} is missing: send entityType and entityId together, or neither"
        raise Rejected("reference", "incomplete_entity", detail, field)


def _check_properties(kind: str, properties: dict[str, Any], declared: dict[str, Property]) -> None:
    for name, rule in declared.items():
        value, field = properties.get(name), f"properties.{name}"
        if value is None:
            if rule.required:
                raise Rejected("properties", "missing_property", f"{field} is missing: {kind} requires it", field)
            continue
        if not isinstance(value, _JSON_TYPES[rule.type]) or (rule.type != "boolean" and isinstance(value, bool)):
            raise Rejected("properties", "bad_property", f"{field} is not of type {rule.type}", field)
        if rule.one_of is not None and value not in rule.one_of:
            allowed = ", ".join(map(str, rule.one_of))
            raise Rejected("properties", "bad_property", f"{field} is none of {allowed}", field)
