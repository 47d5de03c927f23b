"""Keep a rejected event as a failed row, and validate it again later by then current rules.

In: an event, or the JSON of one that could not be decoded, and why it was rejected. Out: Failed. Its payload holds
the event's members, redacted; and from such a payload a row of raw.events, once the settings accept it.
"""

from __future__ import annotations

import re
from copy import copy
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ingestion.collector.events import Event, Oversized, Unreadable, forget_person, redact_event
from ingestion.collector.validation import Rejected, row_of, rules_of, window
from ingestion.placeholders import real_id
from ingestion.privacy.redact import (
    campaign_only,
    decode_json,
    hash_email,
    hash_phone,
    redact_id,
    redact_json,
    redact_text,
)
from ingestion.segments.format import Failed
from ingestion.settings.model import Settings, Site

MAX_FIELD = 200  # characters of a member's path in a message
_EXPECTED = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_NOUNS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list"}
_NOUNS |= {"object": "an object", "null": "null"}
_TIME = "not a time such as 2026-07-01T09:30:00Z"
_IDS = ("eventId", "anonId", "sessionId", "userId", "orderId", "entityId")


class _Payload(Event):
    """The payload of a rejected event: the client's members, and what the request alone knew."""

    received_at: Annotated[datetime, Meta(tz=True)] | None = None
    user_agent: str | None = None


def undecoded(event: Unreadable | Oversized) -> Rejected:
    """Return the rejection of an event that did not become an Event.

    msgspec's message names no value: 'Expected `str`, got `int` - at `$.url`'.
    """
    if isinstance(event, Oversized):
        detail = f"the event has {event.size:,} bytes. Send at most {event.limit:,}, or set collector.max_event_kb"
        return Rejected("schema", "too_large", detail)
    fault, _, path = event.message.partition(" - at `$")
    field = redact_text(path[:MAX_FIELD].rstrip("`").lstrip(".")) or None
    fault = _EXPECTED.sub(_plain, fault).replace("Invalid RFC3339 encoded datetime", _TIME)
    return Rejected("schema", "wrong_type", f"{field}: {fault}" if field else fault, field)


def _plain(found: re.Match[str]) -> str:
    """Return a fault of msgspec in the words of JSON."""
    expected = " or ".join(_NOUNS.get(kind, kind) for kind in found[1].split(" | ") if kind != "null")
    return f"send {expected}, not {_NOUNS.get(found[2], found[2])}"


def too_deep() -> Rejected:
    """Return the rejection of properties beyond the depth that is redacted."""
    return Rejected("schema", "too_deep", "properties is nested too deeply. Send fewer levels", "properties")


def failed_event(
    event: Event | Unreadable | Oversized,
    rejected: Rejected,
    received_at: datetime,
    user_agent: str | None,
    *,
    is_redacted: bool = False,
) -> Failed:
    """Return the failed row of a rejected event.

    received_at: UTC. The payload keeps it, and the user agent, because only the request knew them. is_redacted: whether
    the event is redacted already, which takes time for a long one.
    """
    try:
        if isinstance(event, Unreadable):
            members = _unreadable_members(event.raw)
        else:
            members = _members(event.event if isinstance(event, Oversized) else event, is_redacted=is_redacted)
    except RecursionError:
        members = {"properties": None}
    if isinstance(members, dict):
        members |= {"receivedAt": received_at, "userAgent": user_agent}
        members = {name: value for name, value in members.items() if value not in (None, "")}
    return Failed(
        layer=rejected.layer,
        reason=rejected.reason,
        detail=rejected.detail,
        payload=msgspec.json.encode(members).decode(),
    )


def revalidate(payload: bytes, site: Site, settings: Settings, received_at: datetime) -> dict[str, Any] | Failed:
    """Return a rejected event as a row of raw.events by today's settings, or Failed where they still reject it.

    payload: as failed_event makes it. received_at: with a zone; it applies where the payload has none. The event's age
    is measured against that moment, not against today. The row has the members of Row, and received_at and user_agent;
    occurred_at is an aware datetime, or None where received_at applies.
    """
    try:
        event = msgspec.json.decode(payload, type=_Payload)
        received = event.received_at or received_at
        redact_event(event)
        rules = rules_of(site, settings)
        new_id = "" if real_id(event.event_id) else sha256(payload).hexdigest()[:32]  # the same in every replay
        row = row_of(event, rules, window(rules, received), new_id=new_id)
        msgspec.json.encode(row)
    except Rejected as rejected:
        layer, reason, detail = rejected.layer, rejected.reason, rejected.detail
    except (ValueError, RecursionError, OverflowError) as error:
        layer, reason, detail = "schema", "wrong_type", redact_text(str(error))
    else:
        columns = {name: None if value == "" else value for name, value in msgspec.structs.asdict(row).items()}
        return columns | {"received_at": received, "user_agent": event.user_agent}
    return Failed(layer=layer, reason=reason, detail=detail, payload=payload.decode("utf-8", "replace"))


def _members(event: Event, *, is_redacted: bool) -> dict[str, Any]:
    event = copy(event)
    if event.consent is False:
        forget_person(event)
    properties, event.properties = event.properties, None
    if not is_redacted:
        redact_event(event)
    event.email_hash = event.email_hash or hash_email(event.email)
    event.phone_hash = event.phone_hash or hash_phone(event.phone)
    event.email = event.phone = event.public_key = ""
    try:
        redacted = properties if is_redacted else redact_json(properties)
    except RecursionError:
        redacted = None
    members: dict[str, Any] = msgspec.to_builtins(event)
    return members | {"properties": redacted}


def _unreadable_members(raw: bytes) -> Any:
    event = decode_json(raw)
    if not isinstance(event, dict):
        return redact_json(event)
    event.pop("publicKey", None)
    email, phone = event.pop("email", None), event.pop("phone", None)
    hashes = {
        "emailHash": hash_email(email) if isinstance(email, str) else _hash(event.get("emailHash")),
        "phoneHash": hash_phone(phone) if isinstance(phone, str) else _hash(event.get("phoneHash")),
    }
    ids = {name: redact_id(event[name]) for name in _IDS if isinstance(event.get(name), str)}
    redacted = redact_json(event) | ids
    if event.get("consent") not in (None, True):  # also where it is in words, such as "false"
        redacted |= dict.fromkeys(("anonId", "sessionId", "userId"))
        urls = {name: redacted[name] for name in ("url", "referrer") if isinstance(redacted.get(name), str)}
        redacted |= {name: campaign_only(url) for name, url in urls.items()}
        return redacted | dict.fromkeys(hashes)
    return redacted | hashes


def _hash(given: Any) -> str | None:
    """Return a hash, or None: anything else may be the address or number itself."""
    return given if isinstance(given, str) and re.fullmatch("[0-9a-f]{64}", given) else None
