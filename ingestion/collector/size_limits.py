"""Limit the work that one request or one event can cause, whatever bytes it has.

In: the body of a request, its decoded events, the properties of an event. Out: nothing; or a Problem (413) for the
request, or Rejected for the event. Each check takes time in proportion to the bytes.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import msgspec
import re2

from ingestion.collector.events import Batch, Event
from ingestion.collector.problems import Problem
from ingestion.collector.validation import Rejected
from ingestion.privacy.redact import MAX_DEPTH

MAX_REQUEST_VALUES = 10_000  # counted by commas, which costs next to nothing
MAX_REQUEST_COSTLY = 1_000  # addresses and JSON texts: each takes some microseconds to redact
MAX_VALUES = 1_000  # in the properties of an event, at all levels
MAX_TEXT = 8_192  # characters of a text in the properties
MAX_NAME = 256  # characters of a member's name

_SHORT = 4_096  # bytes: too few for many addresses
# An @, an escaped mark of an address, the middle of an IP address, the start of a JSON text, an escape in such a text.
_COSTLY = re2.compile(
    rb"@|%(?:25)?(?:40|3[aA]|2[eE])|\.\d{1,3}\.\d{1,3}\.|:(?::|(?:[0-9a-fA-F]{1,4}:){2})"
    rb'|"(?: |\\[a-z])*[{\[]|\\\\u00[2-4]'
)


def check_values(body: bytes) -> None:
    """Raise a Problem (413) if the events of a body have more values than are read at once."""
    if body.count(b",") > MAX_REQUEST_VALUES:
        raise _too_much("values", MAX_REQUEST_VALUES)


def check_texts(body: bytes, batch: Batch) -> None:
    """Raise a Problem (413) if a request has more addresses and JSON texts than are redacted at once."""
    if len(body) < _SHORT:
        return
    if b"\\u00" in body:  # an escape may stand for an @
        body = msgspec.json.encode([event for event in batch.events if isinstance(event, Event)])
    if sum(1 for _ in islice(_COSTLY.finditer(body), MAX_REQUEST_COSTLY + 1)) > MAX_REQUEST_COSTLY:
        raise _too_much("addresses and JSON texts", MAX_REQUEST_COSTLY)


def check_properties(event: Event) -> None:
    """Raise Rejected, and drop the properties, if they have too many, too long or too deeply nested values."""
    if event.properties and (fault := _fault(event.properties)):
        event.properties = None
        reason, detail = fault
        raise Rejected("schema", reason, f"properties {detail}", "properties")


def _fault(properties: dict[str, Any]) -> tuple[str, str] | None:
    """Return a reason and what to change, or None."""
    values = 0
    waiting: list[tuple[dict[str, Any] | list[Any], int]] = [(properties, 0)]  # and how deep each is nested
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, dict) and any(len(name) > MAX_NAME for name in value):
            return "long_name", f"has a name of more than {MAX_NAME} characters. Send shorter names"
        parts = value.values() if isinstance(value, dict) else value
        values += len(parts)
        if values > MAX_VALUES:
            return "too_many_values", f"has more than {MAX_VALUES:,} values. Send fewer"
        if depth >= MAX_DEPTH:
            return "too_deep", f"is nested more than {MAX_DEPTH} levels deep. Send fewer levels"
        for part in parts:
            if isinstance(part, str):
                if len(part) > MAX_TEXT:
                    return "long_text", f"has a text of more than {MAX_TEXT:,} characters. Send a shorter text"
            elif isinstance(part, (dict, list)):
                waiting.append((part, depth + 1))
    return None


def _too_much(things: str, most: int) -> Problem:
    detail = f"The request has more than {most:,} {things}. Send fewer events in one request"
    return Problem(413, "Too much to read", detail)
