"""What an answer says. In: an HTTP answer. Out: its JSON, why it is an error, how long to leave the platform alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from textwrap import shorten
from typing import Any

import httpx
import msgspec

from connectors.http.errors import VendorError

_decoder = msgspec.json.Decoder(float_hook=Decimal)
# Half of an emoji, which is left where a platform cut a name short.
_HIGH, _LOW = rb"\\u[dD][89abAB][0-9a-fA-F]{2}", rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HALF = re.compile(rb"%s(?!%s)|(?<!%s)%s" % (_HIGH, _LOW, _HIGH, _LOW))


def _decode(content: bytes) -> Any:
    try:
        return _decoder.decode(content)
    except msgspec.DecodeError:
        return _decoder.decode(_HALF.sub(rb"\\ufffd", content))


def parsed(response: httpx.Response) -> Any:
    """The JSON of an answer, numbers with a point as Decimals; VendorError where it is none."""
    try:
        return _decode(response.content)
    except msgspec.DecodeError:
        kind = response.headers.get("content-type", "no content type")
        raise VendorError(
            f"{response.request.url.host} answered {response.status_code} with {kind} instead of JSON: "
            "check TRIBUTARY_<PLATFORM>_URL and what stands between here and there"
        ) from None


def said(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer, or the first of an array of them; empty where there is none: of an error, perhaps
    a proxy's page."""
    try:
        body = _decode(response.content)
    except msgspec.DecodeError:
        return {}
    first = next(iter(body), None) if isinstance(body, list) else body
    return first if isinstance(first, dict) else {}


def retry_after(response: httpx.Response, now: datetime) -> float | None:
    """The seconds of Retry-After, whether it names seconds or a time (RFC 9110, 10.2.3)."""
    value = response.headers.get("retry-after", "")
    if value.strip().isdigit():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
        return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds())
    except ValueError:
        return None


def reset_after(response: httpx.Response, header: str) -> float | None:
    """The seconds until the time, in seconds since 1970, that a header names: by the clock of who answered."""
    try:
        answered = parsedate_to_datetime(response.headers["date"]).timestamp()
        return max(0.0, float(response.headers[header]) - answered) + 1  # both are whole seconds
    except (KeyError, ValueError):
        return None


def excerpt(response: httpx.Response) -> str:
    """What an answer says, shortened by whole words: half a secret would not be known for one."""
    return shorten(response.text, 300, placeholder=" ...") or response.reason_phrase
