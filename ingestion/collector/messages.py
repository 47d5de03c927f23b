"""What a client sends and what is landed. In: a request's body. Out: Opened, its events one by one; Row, an event as a
row of raw.events.

msgspec checks the types while it decodes: the first of the four layers costs nothing. Only a request that fails is
taken apart to find out which of its events it was.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from ingestion.collector.problems import Refused

MAX_EVENTS = 100
# What is no lone surrogate comes first: an escaped backslash, a pair.
_SURROGATE = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)

Id = Annotated[str, Meta(max_length=256)]
Text = Annotated[str, Meta(max_length=1024)]
Url = Annotated[str, Meta(max_length=8192)]
Sha256 = Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")]


class Event(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """One event as a client sends it. Absent text is empty text, so that neither need be told from the other."""

    type: Id = ""
    public_key: Id | None = ""
    event_id: Id | None = ""
    timestamp: Annotated[datetime, Meta(tz=True)] | int | None = None  # ISO 8601 with a zone, or milliseconds
    anon_id: Id | None = ""
    session_id: Id | None = ""
    user_id: Id | None = ""
    url: Url | None = ""
    path: Url | None = ""
    title: Text | None = ""
    referrer: Url | None = ""
    value: Decimal | None = None
    currency: Id | None = ""
    order_id: Id | None = ""
    conversion_type: Id | None = ""
    email: Text | None = ""
    phone: Id | None = ""
    email_hash: Sha256 | None = ""
    phone_hash: Sha256 | None = ""
    entity_type: Id | None = ""
    entity_id: Id | None = ""
    consent: bool | None = None
    sample_percent: Annotated[int, Meta(ge=1, le=100)] | None = None
    is_replay: bool | None = None
    properties: dict[str, Any] | None = None


class Body(Event):
    """A request: one event, or several under `events`."""

    events: list[Event] | None = None


class Kept(Event):
    """The payload of a refused event: what the client sent, and what only the request knew."""

    received_at: Annotated[datetime, Meta(tz=True)] | None = None
    user_agent: str | None = None


class Row(msgspec.Struct, omit_defaults=True, gc=False):
    """An event with the columns of raw.events; those that its receipt holds for all rows are left out."""

    event_id: str
    type: str
    occurred_at: datetime | None = None  # UTC; null: when it was received
    anon_id: str | None = ""
    session_id: str | None = ""
    user_id: str | None = ""
    url: str | None = ""
    path: str | None = ""
    title: str | None = ""
    referrer: str | None = ""
    value_micros: int | None = None
    currency: str | None = ""
    order_id: str | None = ""
    conversion_type: str | None = ""
    email_hash: str | None = ""
    phone_hash: str | None = ""
    entity_type: str | None = ""
    entity_id: str | None = ""
    consent: bool | None = None
    sample_percent: int | None = None
    is_replay: bool | None = None
    properties: dict[str, Any] | None = None
    has_own_id: bool = True


class Unreadable(NamedTuple):
    """An event whose members have the wrong types: its text, and what is wrong."""

    raw: bytes
    problem: str


class Opened(NamedTuple):
    public_key: str | None
    events: list[Event | Unreadable]


class _Loose(msgspec.Struct, rename="camel"):
    public_key: str | None = None
    events: list[msgspec.Raw] | None = None


_body = msgspec.json.Decoder(Body).decode
_event = msgspec.json.Decoder(Event).decode
_loose = msgspec.json.Decoder(_Loose).decode


def opened(body: bytes) -> Opened:
    """The events of a request, or Refused (400) where it is none at all."""
    try:
        request = _body(body)
    except msgspec.ValidationError:
        return _one_by_one(body)
    except (ValueError, RecursionError) as error:
        return opened(_mended(body, error))
    events = request.events
    if events is None:
        return Opened(request.public_key, [request])
    _check_count(len(events))
    return Opened(request.public_key or events[0].public_key, events)


def _one_by_one(body: bytes) -> Opened:
    try:
        request = _loose(body)
    except (ValueError, RecursionError) as error:
        return opened(_mended(body, error))
    if request.events is None:
        return Opened(request.public_key, [_readable(body)])
    _check_count(len(request.events))
    events = [_readable(bytes(raw)) for raw in request.events]
    first = next((event.public_key for event in events if isinstance(event, Event) and event.public_key), None)
    return Opened(request.public_key or first, events)


def _readable(raw: bytes) -> Event | Unreadable:
    try:
        return _event(raw)
    except (ValueError, RecursionError) as error:
        return Unreadable(raw, str(error))


def _check_count(count: int) -> None:
    if not 1 <= count <= MAX_EVENTS:
        detail = f"events has {count} entries: send from 1 to {MAX_EVENTS} in one request"
        raise Refused(400, "Wrong number of events", detail)


def _malformed(error: Exception) -> Refused:
    problem = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    if isinstance(error, UnicodeDecodeError):
        problem = f"byte {error.start} is not UTF-8"
    detail = f'The body is not an event, nor {{"publicKey": ..., "events": [...]}}, as JSON: {problem}'
    return Refused(400, "Malformed body", detail)


def _mended(body: bytes, error: Exception) -> bytes:
    """JSON.stringify writes half an emoji, of a title cut in two, as an escape that is no character: ? stands for it.

    Raises Refused (400) where that was not what is wrong.
    """
    mended = _SURROGATE.sub(lambda found: b"?" if found[1] else found[0], body)
    if mended == body or isinstance(error, RecursionError):
        raise _malformed(error) from None
    return mended
