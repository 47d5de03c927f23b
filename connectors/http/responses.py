"""Read a platform's response: its JSON, members of it, the error that it states and the seconds to wait.

In: an HTTP response, or a part of its JSON. Out: values. Numbers with a decimal point are Decimals, so that no float
touches money.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import partial
from textwrap import shorten
from typing import Any

import httpx
import msgspec

from connectors.http.errors import Transient, VendorError

_decoder = msgspec.json.Decoder(float_hook=Decimal)
# Half of a surrogate pair: platforms that shorten a name cut emojis in two.
_HIGH, _LOW = rb"\\u[dD][89abAB][0-9a-fA-F]{2}", rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HALF_PAIR = re.compile(rb"%s(?!%s)|(?<!%s)%s" % (_HIGH, _LOW, _HIGH, _LOW))


def parse_json(response: httpx.Response) -> Any:
    """Return the JSON of a response. Raise Transient if it is cut off, or no JSON at all, such as a gateway's page."""
    try:
        return _decode(response.content)
    except msgspec.DecodeError:
        kind = response.headers.get("content-type", "no content type")
        if "json" in kind and response.is_success:
            raise Transient("the response's JSON is cut off or damaged") from None
        raise Transient(
            f"{response.request.url.host} responded {response.status_code} with {kind} instead of JSON "
            "(check TRIBUTARY_<PLATFORM>_URL and any proxy on the way)"
        ) from None


def error_body(response: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an error response, or the first object of an array; {} if the body has none."""
    try:
        body = _decode(response.content)
    except msgspec.DecodeError:  # a proxy's HTML page, for example
        return {}
    first = next(iter(body), None) if isinstance(body, list) else body
    return first if isinstance(first, dict) else {}


def excerpt(response: httpx.Response) -> str:
    """Return the start of the body, cut between words: redaction would not recognise half a secret."""
    return shorten(response.text, 300, placeholder=" ...") or response.reason_phrase


def optional(row: Any, name: str) -> Any:
    """Return a member of a JSON object, or None if it is absent. A dotted name (`paging.next`) leads into objects."""
    for part in name.split("."):
        row = row.get(part) if isinstance(row, dict) else None
    return row


def required(row: Any, name: str, where: str) -> Any:
    """Return a member that the API promises. Raise VendorError if it is absent or null.

    name: may be dotted, as for `optional`. where: the response, for the error message.
    """
    value = optional(row, name)
    if value is None:
        raise VendorError(
            f"{where} no longer has the field {name}. Nothing was stored. The platform's API changed: "
            "install a newer version of Tributary, or report this if there is none"
        )
    return value


def figure(row: Any, name: str, where: str) -> Any:
    """Return a figure that the request asked for: 0 if it is null, because platforms send null for no activity.

    Raise VendorError if it is absent: the API changed. Use it for counts. Use `required` for spend, unless the platform
    documents that its spend can be null: 0 could hide an amount. name, where: as for `required`.
    """
    parent, _, member = name.rpartition(".")
    members = optional(row, parent) if parent else row
    if isinstance(members, dict) and member in members:
        return members[member] or 0
    return required(row, name, where)


def field_reader(row: Any, where: str) -> Callable[[str], Any]:
    """Return a function that reads required members of one row: `field = field_reader(row, "Meta's ad report")`."""
    return partial(required, row, where=where)


def retry_after(response: httpx.Response, now: datetime) -> float | None:
    """Return the seconds of the Retry-After header, which states seconds or a time (RFC 9110, 10.2.3)."""
    value: str = response.headers.get("retry-after", "")
    if value.strip().isdigit():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
        return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds())
    except ValueError:
        return None


def reset_after(response: httpx.Response, header: str) -> float | None:
    """Return the seconds until the Unix time that a header states, by the clock of the responding server."""
    try:
        responded_at = parsedate_to_datetime(response.headers["date"]).timestamp()
        return max(0.0, float(response.headers[header]) - responded_at) + 1  # both are whole seconds
    except (KeyError, ValueError):
        return None


def _decode(content: bytes) -> Any:
    try:
        return _decoder.decode(content)
    except msgspec.DecodeError:
        return _decoder.decode(_HALF_PAIR.sub(rb"\\ufffd", content))
