"""What happened, in Python -> one event of the collector as JSON.

In: a type and its details, by typed helpers for the common ones. Out: the event's bytes, checked and complete (id and
time are set here, so that a retry repeats the event instead of making another), handed to `send`.
"""

from __future__ import annotations

import json
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TypedDict, Unpack

Money = Decimal | int | str
MAX_EVENT_BYTES = 900_000  # of the 1 MiB that the collector takes in one request
MAX_EXPONENT = 30  # of an amount: written out, 1e999999999 would fill the memory


class Details(TypedDict, total=False):
    """What any event may bring; None says as little as leaving it out."""

    event_id: str | None  # default: a new UUID. Of two events with one id, one counts
    timestamp: datetime | None  # aware; default: now
    anon_id: str | None  # the visitor, as the browser script knows it
    session_id: str | None
    user_id: str | None  # the customer
    email: str | None  # hashed by the collector before anything is kept
    phone: str | None  # likewise
    url: str | None
    path: str | None
    title: str | None
    referrer: str | None
    value: Money | None  # in currency
    currency: str | None  # ISO 4217; default: the org's
    order_id: str | None  # one order counts once
    conversion_type: str | None
    entity_type: str | None  # what the event is about: asset, licence, project...
    entity_id: str | None
    consent: bool | None  # False: no id of a person is kept
    properties: Mapping[str, object] | None  # anything else, as JSON


class Events(ABC):
    """The helpers. The first argument is what the event is about; each returns the event's id and only queues it."""

    @abstractmethod
    def send(self, event: bytes) -> None:
        """Take an event to its collector."""

    def track(self, event_type: str, /, **details: Unpack[Details]) -> str:
        """Any type: a built-in one or one that tributary.yaml declares. TypeError, ValueError: a detail is wrong."""
        return self._record(event_type, details)

    def page_view(self, url: str, /, **details: Unpack[Details]) -> str:
        return self._record("PAGE_VIEW", {**details, "url": url})

    def search(self, query: str, /, **details: Unpack[Details]) -> str:
        """The query becomes the property `query`."""
        return self._record("SEARCH", _with_property(details, "query", query))

    def cta_click(self, name: str, /, **details: Unpack[Details]) -> str:
        """The name of what was clicked becomes the property `cta`."""
        return self._record("CTA_CLICK", _with_property(details, "cta", name))

    def sign_up(self, user_id: str, /, **details: Unpack[Details]) -> str:
        return self._record("SIGN_UP", {**details, "user_id": user_id})

    def login(self, user_id: str, /, **details: Unpack[Details]) -> str:
        return self._record("LOGIN", {**details, "user_id": user_id})

    def profile_update(self, user_id: str, /, **details: Unpack[Details]) -> str:
        return self._record("PROFILE_UPDATE", {**details, "user_id": user_id})

    def conversion(self, conversion_type: str = "purchase", /, **details: Unpack[Details]) -> str:
        """With `value`, `currency` and, for what may be reported twice, `order_id`."""
        return self._record("CONVERSION", {**details, "conversion_type": conversion_type})

    def refund(self, order_id: str, /, **details: Unpack[Details]) -> str:
        """`value` is what was given back of the order, above zero."""
        return self._record("REFUND", {**details, "order_id": order_id})

    def asset_upload(self, asset_id: str, /, **details: Unpack[Details]) -> str:
        return self._about("ASSET_UPLOAD", "asset", asset_id, details)

    def asset_view(self, asset_id: str, /, **details: Unpack[Details]) -> str:
        return self._about("ASSET_VIEW", "asset", asset_id, details)

    def asset_download(self, asset_id: str, /, **details: Unpack[Details]) -> str:
        return self._about("ASSET_DOWNLOAD", "asset", asset_id, details)

    def asset_approval(self, asset_id: str, /, **details: Unpack[Details]) -> str:
        return self._about("ASSET_APPROVAL", "asset", asset_id, details)

    def licence_created(self, licence_id: str, /, **details: Unpack[Details]) -> str:
        return self._about("LICENCE_CREATED", "licence", licence_id, details)

    def licence_signed(self, licence_id: str, /, **details: Unpack[Details]) -> str:
        return self._about("LICENCE_SIGNED", "licence", licence_id, details)

    def project_created(self, project_id: str, /, **details: Unpack[Details]) -> str:
        return self._about("PROJECT_CREATED", "project", project_id, details)

    def project_completed(self, project_id: str, /, **details: Unpack[Details]) -> str:
        return self._about("PROJECT_COMPLETED", "project", project_id, details)

    def payout_completed(self, payout_id: str, /, **details: Unpack[Details]) -> str:
        return self._about("PAYOUT_COMPLETED", "payout", payout_id, details)

    def payout_failed(self, payout_id: str, /, **details: Unpack[Details]) -> str:
        return self._about("PAYOUT_FAILED", "payout", payout_id, details)

    def _about(self, event_type: str, entity_type: str, entity_id: str, details: Details) -> str:
        return self._record(event_type, {**details, "entity_type": entity_type, "entity_id": entity_id})

    def _record(self, event_type: str, details: Details) -> str:
        event_id, event = as_event(event_type, details)
        self.send(event)
        return event_id


def as_event(event_type: str, details: Details) -> tuple[str, bytes]:
    """The event's id and the event as JSON."""
    event: dict[str, object] = {"type": event_type, "eventId": str(uuid.uuid4()), "timestamp": _utc(datetime.now(UTC))}
    for name, value in details.items():
        if name not in _MEMBERS:
            raise TypeError(f"{name}= is no detail of an event: use properties={{...}}, or {', '.join(_MEMBERS)}")
        if value is not None:
            event[_MEMBERS[name]] = _CHECKS.get(name, _text)(name, value)
    event["eventId"] = event["eventId"] or str(uuid.uuid4())  # without one a retry would count again
    encoded = json.dumps(event, allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()
    if len(encoded) > MAX_EVENT_BYTES:
        raise ValueError(f"the event has {len(encoded):,} bytes, {MAX_EVENT_BYTES:,} are taken: send fewer properties")
    return str(event["eventId"]), encoded


def _with_property(details: Details, name: str, value: str) -> Details:
    return {**details, "properties": {**(details.get("properties") or {}), name: value}}


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} is text, not {type(value).__name__}: {name}=str(...)")
    return value


def _instant(name: str, value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"{name} is a datetime, not {type(value).__name__}")
    if value.utcoffset() is None:
        raise ValueError(f"{name} has no time zone, so its instant is unknown: datetime.now(UTC), .replace(tzinfo=...)")
    return _utc(value)


def _utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _amount(name: str, value: object) -> str:
    """The amount as decimal text: JSON's numbers are floats to most readers."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        hint = ", which holds few amounts exactly" if isinstance(value, float) else ""
        raise TypeError(f"{name} is a {type(value).__name__}{hint}: pass a Decimal, an int or text such as '19.90'")
    try:
        amount = Decimal(value)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or abs(amount.adjusted()) > MAX_EXPONENT:
        raise ValueError(f"{name} is no amount: pass a Decimal, an int or text such as '19.90', without separators")
    return format(amount, "f")


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} is True or False, not {type(value).__name__}")
    return value


def _object(name: str, value: object) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} is a mapping of names to values, not {type(value).__name__}")
    return dict(value)


def _plain(value: object) -> str:
    """Of a property, what JSON does not know: exact numbers and times as text."""
    if isinstance(value, datetime):
        return _instant("a time in properties", value)
    if isinstance(value, Decimal | date | uuid.UUID):
        return str(value)
    raise TypeError(f"properties hold what JSON can say, not {type(value).__name__}")


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


_MEMBERS = {name: _camel(name) for name in Details.__annotations__}
_CHECKS = {"timestamp": _instant, "value": _amount, "consent": _flag, "properties": _object}
