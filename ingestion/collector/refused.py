"""A refused event as it is kept: whole enough to be sent through again, without personal data.

In: an event, or the text of one that could not be read, and why it was refused. Out: Failed, whose payload
`ingestion.collector.validate.revalidate` reads.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import msgspec

from ingestion.collector.messages import Event, Unreadable
from ingestion.collector.scrub import (
    campaign_only,
    clean,
    clean_id,
    clean_url,
    email_hash,
    forget,
    phone_hash,
    scrub,
    without_addresses,
)
from ingestion.collector.validate import Rejected
from ingestion.segments.format import Failed

_IDS = ("eventId", "anonId", "sessionId", "userId", "orderId", "entityId")


def schema_problem(event: Unreadable) -> Rejected:
    """msgspec's message, such as 'Expected `str`, got `int` - at `$.url`', names no value."""
    problem, _, path = event.problem.partition(" - at `$")
    field = without_addresses(path.rstrip("`").lstrip(".")) or None
    return Rejected("schema", "wrong_type", f"{field}: {problem}" if field else problem, field)


def too_deep() -> Rejected:
    return Rejected("schema", "too_deep", "properties is nested too deeply: send it flatter", "properties")


def failed_event(
    event: Event | Unreadable, rejected: Rejected, received_at: datetime, user_agent: str | None
) -> Failed:
    """received_at: UTC; it and the user agent, which only the request knew, are kept in the payload."""
    try:
        members = _unreadable_members(event.raw) if isinstance(event, Unreadable) else _members(event)
    except RecursionError:
        members = {"properties": None}
    if isinstance(members, dict):
        members |= {"receivedAt": received_at, "userAgent": user_agent}
        members = {name: value for name, value in members.items() if value not in (None, "")}
    return Failed(rejected.layer, rejected.reason, rejected.detail, msgspec.json.encode(members).decode())


def _members(event: Event) -> dict[str, Any]:
    if event.consent is False:
        forget(event)
    properties, event.properties = event.properties, None
    scrub(event)
    event.email_hash = event.email_hash or email_hash(event.email)
    event.phone_hash = event.phone_hash or phone_hash(event.phone)
    event.email = event.phone = event.public_key = ""
    try:
        kept = clean(properties)
    except RecursionError:
        kept = None
    return msgspec.to_builtins(event) | {"properties": kept}


def _unreadable_members(raw: bytes) -> Any:
    try:
        event = msgspec.json.decode(raw)
    except ValueError:  # a number beyond any machine's, a byte that is not UTF-8
        event = json.loads(raw.decode("utf-8", "replace"), parse_float=str, parse_int=_whole)
    if not isinstance(event, dict):
        return clean(event)
    event.pop("publicKey", None)
    email, phone = event.pop("email", None), event.pop("phone", None)
    hashes = {
        "emailHash": email_hash(email) if isinstance(email, str) else _hash(event.get("emailHash")),
        "phoneHash": phone_hash(phone) if isinstance(phone, str) else _hash(event.get("phoneHash")),
    }
    texts = {name: value for name, value in event.items() if isinstance(value, str)}
    cleaned = clean(event)
    cleaned |= {name: clean_id(texts[name]) for name in _IDS if name in texts}
    cleaned |= {name: clean_url(texts[name]) for name in ("url", "referrer") if name in texts}
    if event.get("consent") not in (None, True):  # a refusal in words, such as "false", is one
        cleaned |= dict.fromkeys(("anonId", "sessionId", "userId"))
        cleaned |= {name: campaign_only(cleaned[name]) for name in ("url", "referrer") if name in texts}
        return cleaned | dict.fromkeys(hashes)
    return cleaned | hashes


def _hash(given: Any) -> str | None:
    """What is no hash may be the address or number itself."""
    return given if isinstance(given, str) and re.fullmatch("[0-9a-f]{64}", given) else None


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) < 20 else digits
