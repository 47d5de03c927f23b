"""Events as clients send them: decode a request's events one by one, and take personal data out of them.

In: a request's body. Out: a Batch of Events, types checked; or a Problem (400) where the body holds no events.

msgspec checks the types while it decodes, so that the first of the four layers of validation costs nothing. Only a
request that fails is taken apart, to find out which of its events was wrong.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

import msgspec
import re2
from msgspec import Meta

from ingestion.collector.problems import Problem
from ingestion.privacy.patterns import harmless_names, kind_of
from ingestion.privacy.redact import campaign_only, redact_id, redact_json, redact_text

MAX_EVENTS = 100
_LAST_MOMENT = 8_640_000_000_000_000  # of a JavaScript Date, in milliseconds
MAX_EVENT = 64 << 10  # bytes of an event, unless tributary.yaml sets another limit

Id = Annotated[str, Meta(max_length=256)]
Text = Annotated[str, Meta(max_length=1024)]
Url = Annotated[str, Meta(max_length=8192)]
Sha256 = Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")]


class Event(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """One event. Absent text is empty text, so that no code has to distinguish them."""

    event_id: Id | None = ""
    type: Id = ""
    anon_id: Id | None = ""
    session_id: Id | None = ""
    user_id: Id | None = ""
    url: Url | None = ""
    path: Url | None = ""
    title: Text | None = ""
    referrer: Url | None = ""
    currency: Id | None = ""
    order_id: Id | None = ""
    conversion_type: Id | None = ""
    email_hash: Sha256 | None = ""
    phone_hash: Sha256 | None = ""
    entity_type: Id | None = ""
    entity_id: Id | None = ""
    # The link's campaign, where the url does not have it.
    source: Text | None = ""
    medium: Text | None = ""
    campaign: Text | None = ""
    campaign_id: Id | None = ""
    content: Text | None = ""
    term: Text | None = ""
    click_ids: Url | None = ""
    channel: Id | None = ""
    consent: bool | None = None
    sample_percent: Annotated[int, Meta(ge=1, le=100)] | None = None
    is_replay: bool | None = None
    properties: dict[str, Any] | None = None
    # The others have another form in a Row, or no place in it.
    public_key: Id | None = ""
    timestamp: Annotated[datetime, Meta(tz=True)] | int | None = None  # ISO 8601 with a zone, or milliseconds
    value: Decimal | msgspec.UnsetType | None = msgspec.UNSET  # a REFUND without it refunds all, one with null nothing
    email: Text | None = ""
    phone: Id | None = ""


class Body(Event):
    """A request: one event, or several under `events`."""

    events: list[Event] | None = None
    sent_at: Any = None


class _LooseBody(msgspec.Struct, rename="camel"):
    public_key: str | None = None
    events: list[msgspec.Raw] | None = None
    sent_at: Any = None


class Unreadable(NamedTuple):
    """An event with members of wrong types: its JSON, and msgspec's message."""

    raw: bytes
    message: str


class Oversized(NamedTuple):
    """An event that is longer than the settings allow: its size, and the event without properties if it decodes."""

    size: int  # bytes
    limit: int
    event: Event


class Batch(msgspec.Struct, frozen=True):
    """The events of one request."""

    public_key: str | None
    events: list[Event | Unreadable | Oversized]
    sent_at: Any = None  # by the sender's clock: milliseconds since 1970


_decode_body = msgspec.json.Decoder(Body).decode
_decode_event = msgspec.json.Decoder(Event).decode
_decode_loosely = msgspec.json.Decoder(_LooseBody).decode

_IDS = ("event_id", "anon_id", "session_id", "user_id", "order_id", "entity_id", "campaign_id")
# Databases give ids as numbers.
_decode_numeric_ids = msgspec.json.Decoder(
    msgspec.defstruct("_NumericIds", [(name, Id | int | float | None, "") for name in _IDS], bases=(Event,))
).decode
_TEXTS = (
    *("type", "path", "title", "currency", "conversion_type", "entity_type", "url", "referrer"),
    *("source", "medium", "campaign", "content", "term", "click_ids", "channel"),
)
# The middle of an IPv4 address, two colons or two groups of an IPv6 address, escaped marks, JSON in a JSON text.
_PARTS = (
    rb"\.\d{1,3}\.\d{1,3}\.",
    rb":(?::|(?:[0-9a-fA-F]{1,4}:){2})",
    rb"%(?:25)?(?:40|3[aA]|2[eE])",
    rb"\{\s*\\",
)
# RE2 jumps from one dot, colon, percent sign or brace to the next, but each call takes a microsecond.
_LONG = 4096  # bytes
_find_in_short = tuple(re.compile(part).search for part in _PARTS)
_find_in_long = tuple(re2.compile(part).search for part in _PARTS)
# The group has what stays: an escaped backslash, a whole pair. What is outside of it is half a pair.
_SURROGATE = re.compile(
    rb"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def decode_request(body: bytes, max_event: int = MAX_EVENT) -> Batch:
    """Return the events of a request, or raise a Problem (400). max_event: bytes of an event."""
    if len(body) > max_event:
        return _decode_one_by_one(body, max_event)
    try:
        request = _decode_body(body)
    except msgspec.ValidationError:
        return _decode_one_by_one(body, max_event)
    except (ValueError, RecursionError) as error:
        return decode_request(_without_lone_surrogates(body, error), max_event)
    events = request.events
    if events is None:
        return Batch(request.public_key, [request], request.sent_at)
    _check_count(len(events))
    return Batch(request.public_key or events[0].public_key, [*events], request.sent_at)


def correct_clock(batch: Batch, received_at: datetime) -> None:
    """Shift the times of a batch's events by the error of the sender's clock, in place.

    The error is counted in whole minutes, so that the time of the transfer changes no event and an event that is sent
    again has the same content.
    """
    if type(batch.sent_at) is not int or not 0 <= batch.sent_at <= _LAST_MOMENT:
        return
    minutes = round((received_at.timestamp() * 1000 - batch.sent_at) / 60_000)
    for event in batch.events if minutes else ():
        if isinstance(event, Event) and event.timestamp is not None:
            event.timestamp = _later(event.timestamp, minutes)


def _later(moment: datetime | int, minutes: int) -> datetime | int:
    if isinstance(moment, int):
        return moment + minutes * 60_000
    try:
        return moment + timedelta(minutes=minutes)
    except OverflowError:
        return moment  # outside of any limit, too


def may_hold_personal_data(body: bytes) -> bool:
    """Return whether a body may hold an e-mail or IP address: a cheap test, false for nearly all bodies."""
    find_dots, find_colons, find_escaped, find_json = _find_in_short if len(body) < _LONG else _find_in_long
    return bool(
        b"@" in body
        or find_dots(body)
        or find_colons(body)
        or (b"%" in body and find_escaped(body))
        or (b"\\" in body and (b"\\u00" in body or find_json(body)))
    )


def redact_event(event: Event) -> None:
    """Redact every text of an event, in place."""
    for name in _IDS:
        if value := getattr(event, name):
            setattr(event, name, redact_id(value))
    for name in _TEXTS:
        if value := getattr(event, name):
            setattr(event, name, redact_text(value))
    if event.properties:
        event.properties = redact_json(event.properties)


def redact_members(event: Event) -> None:
    """Redact the properties of an event without addresses, in place: members named like an IP address or number."""
    if event.properties and _needs_redaction(event.properties):
        event.properties = redact_json(event.properties)


def forget_person(event: Event) -> None:
    """Remove every id of a person, as a missing consent demands. The order's id stays, so that an order counts once."""
    event.anon_id = event.session_id = event.user_id = ""
    event.email = event.phone = event.email_hash = event.phone_hash = event.click_ids = ""
    event.url, event.referrer = campaign_only(event.url), campaign_only(event.referrer)
    event.path = event.path.partition("?")[0].partition("#")[0] if event.path else ""


def _decode_one_by_one(body: bytes, max_event: int) -> Batch:
    try:
        request = _decode_loosely(body)
    except (ValueError, RecursionError) as error:
        return decode_request(_without_lone_surrogates(body, error), max_event)
    if request.events is None:
        return Batch(request.public_key, [_readable(body, max_event)], request.sent_at)
    _check_count(len(request.events))
    events = [_readable(bytes(raw), max_event) for raw in request.events]
    first = next((event.public_key for event in events if isinstance(event, Event) and event.public_key), None)
    return Batch(request.public_key or first, events, request.sent_at)


def _readable(raw: bytes, max_event: int) -> Event | Unreadable | Oversized:
    try:
        event = _decode_event(raw)
    except (ValueError, RecursionError) as error:
        found = _with_text_ids(raw)
        if found is None:
            return Unreadable(raw, str(error)) if len(raw) <= max_event else Oversized(len(raw), max_event, Event())
        event = found
    if len(raw) <= max_event:
        return event
    event.properties = None
    return Oversized(len(raw), max_event, event)


def _needs_redaction(properties: dict[str, Any]) -> bool:
    """Return whether a member is named like an IP address or phone number, or is nested and may have such members."""
    for name, value in properties.items():
        if (
            value.__class__ is dict
            or value.__class__ is list
            or (name not in harmless_names and kind_of(name) in ("ip", "phone"))
        ):
            return True
    return False


def _with_text_ids(raw: bytes) -> Event | None:
    """Return an event with whole numbers as ids, such as 7010 or 7010.0, with their text; or None."""
    try:
        event = _decode_numeric_ids(raw)
    except (ValueError, RecursionError):
        return None
    members = {name: getattr(event, name) for name in Event.__struct_fields__}
    for name in _IDS:
        if (text := id_text(members[name])) is None and members[name] is not None:
            return None
        members[name] = text
    return Event(**members)


def id_text(value: str | float | None) -> str | None:
    """Return an id as text; None for a number that is not whole, or that a float cannot hold exactly."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else None
    return value if value is None or isinstance(value, str) else str(value)


def _check_count(count: int) -> None:
    if not 1 <= count <= MAX_EVENTS:
        detail = f"events has {count} entries. Send 1 to {MAX_EVENTS} in one request"
        raise Problem(400, "Wrong number of events", detail)


def _without_lone_surrogates(body: bytes, error: Exception) -> bytes:
    """Return the body without escapes of half a character, which JSON.stringify writes of a title cut in two.

    Raises a Problem (400) where the body has another fault.
    """
    repaired = _SURROGATE.sub(rb"\1", body)
    if repaired == body or isinstance(error, RecursionError):
        raise _malformed(error) from None
    return repaired


def _malformed(error: Exception) -> Problem:
    fault = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    if isinstance(error, UnicodeDecodeError):
        fault = f"byte {error.start} is not UTF-8"
    detail = f'The body is not an event, nor {{"publicKey": ..., "events": [...]}}, as JSON: {fault}'
    return Problem(400, "Malformed body", detail)
