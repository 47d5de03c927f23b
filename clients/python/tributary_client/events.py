"""Build events of the collector as JSON, by typed helpers.

In: a type and its details. Out: the event's bytes, checked and complete, passed to `send`. The id and the time are set
here, so that a retry repeats the event instead of creating another.
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
MAX_EVENT_BYTES = 900_000  # of the 1 MiB that the collector accepts in one request
MAX_EXPONENT = 30  # of an amount: the digits of 1e999999999 would fill the memory


class Details(TypedDict, total=False):
    """The details of any event. None is the same as absent."""

    event_id: str | None  # default: a new UUID. Two events with one id count once
    timestamp: datetime | None  # aware; default: now
    anon_id: str | None  # the visitor, as the browser script knows it
    session_id: str | None
    user_id: str | None  # the customer
    email: str | None  # the collector stores its hash only
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
    source: str | None  # the link's campaign, where the url does not have it; likewise the next ones
    medium: str | None
    campaign: str | None
    campaign_id: str | None
    content: str | None
    term: str | None
    click_ids: str | None  # in the form of a URL's query: gclid=a&dclid=b
    channel: str | None
    consent: bool | None  # False: the collector stores no id of a person
    properties: Mapping[str, object] | None  # further details, as JSON


class Events(ABC):
    """The helpers. Each queues an event about its first argument and returns the event's id."""

    @abstractmethod
    def send(self, event: bytes) -> None:
        """Queue an event for the collector."""

    def track(self, event_type: str, /, **details: Unpack[Details]) -> str:
        """Track any type, built-in or declared in tributary.yaml. Raises TypeError or ValueError for a wrong detail."""
        return self._record(event_type, details)

    def page_view(self, url: str, /, **details: Unpack[Details]) -> str:
        return self._record("PAGE_VIEW", {**details, "url": url})

    def search(self, query: str, /, **details: Unpack[Details]) -> str:
        """Track a search. The query becomes the property `query`."""
        return self._record("SEARCH", _with_property(details, "query", query))

    def cta_click(self, name: str, /, **details: Unpack[Details]) -> str:
        """Track a click. The name becomes the property `cta`."""
        return self._record("CTA_CLICK", _with_property(details, "cta", name))

    def sign_up(self, user_id: str, /, **details: Unpack[Details]) -> str:
        return self._record("SIGN_UP", {**details, "user_id": user_id})

    def login(self, user_id: str, /, **details: Unpack[Details]) -> str:
        return self._record("LOGIN", {**details, "user_id": user_id})

    def profile_update(self, user_id: str, /, **details: Unpack[Details]) -> str:
        return self._record("PROFILE_UPDATE", {**details, "user_id": user_id})

    def conversion(self, conversion_type: str = "purchase", /, **details: Unpack[Details]) -> str:
        """Track a conversion. Pass `value` and `currency`, and `order_id` if another system reports the order too."""
        return self._record("CONVERSION", {**details, "conversion_type": conversion_type})

    def refund(self, order_id: str, /, **details: Unpack[Details]) -> str:
        """Track a refund. `value` is the refunded amount, above zero; without it the whole order is refunded.

        A `value` of None refunds nothing: shops leave the amount of an order without a refund empty.
        """
        if "value" in details and details["value"] is None:
            details["value"] = 0
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
    """Return the event's id and the event as JSON."""
    event: dict[str, object] = {"type": event_type, "eventId": str(uuid.uuid4()), "timestamp": _utc(datetime.now(UTC))}
    for name, value in details.items():
        if name not in _MEMBERS:
            raise TypeError(f"{name}= is not a detail of an event: use properties={{...}}, or {', '.join(_MEMBERS)}")
        if value is not None:
            event[_MEMBERS[name]] = _CHECKS.get(name, _text)(name, value)
    event["eventId"] = event["eventId"] or str(uuid.uuid4())  # without one a retry would count again
    encoded = json.dumps(event, allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()
    if len(encoded) > MAX_EVENT_BYTES:
        raise ValueError(f"the event has {len(encoded):,} bytes, more than {MAX_EVENT_BYTES:,}: send fewer properties")
    return str(event["eventId"]), encoded


def _with_property(details: Details, name: str, value: str) -> Details:
    return {**details, "properties": {**(details.get("properties") or {}), name: value}}


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text, not {type(value).__name__}: pass {name}=str(...)")
    return value


def _instant(name: str, value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"{name} must be a datetime, not {type(value).__name__}")
    if value.utcoffset() is None:
        raise ValueError(f"{name} has no time zone: use datetime.now(UTC) or .replace(tzinfo=...)")
    return _utc(value)


def _utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _amount(name: str, value: object) -> str:
    """Return the amount as decimal text, because most readers of JSON turn numbers into floats."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        hint = ", which is inexact for most amounts" if isinstance(value, float) else ""
        raise TypeError(f"{name} is a {type(value).__name__}{hint}: pass a Decimal, an int or text such as '19.90'")
    try:
        amount = Decimal(value)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or abs(amount.adjusted()) > MAX_EXPONENT:
        raise ValueError(f"{name} is not an amount: pass a Decimal, an int or text such as '19.90', without separators")
    return format(amount, "f")


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {type(value).__name__}")
    return value


def _object(name: str, value: object) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a mapping of names to values, not {type(value).__name__}")
    return dict(value)


def _plain(value: object) -> str:
    """Return a property's value that JSON does not have, such as an exact number or a time, as text."""
    if isinstance(value, datetime):
        return _instant("a time in properties", value)
    if isinstance(value, Decimal | date | uuid.UUID):
        return str(value)
    raise TypeError(f"properties must be JSON values, not {type(value).__name__}")


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


_MEMBERS = {name: _camel(name) for name in Details.__annotations__}
_CHECKS = {"timestamp": _instant, "value": _amount, "consent": _flag, "properties": _object}
