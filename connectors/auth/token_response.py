"""Read the response of a token endpoint, of which some tokens must not be lost.

In: an HTTP response. Out: its JSON object, or an exception. No message contains a part of the body.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from connectors.http.errors import Transient
from connectors.http.responses import parse_json, retry_after

REFRESH_TOKEN = re.compile(r'"refresh_token"\s*:\s*("(?:[^"\\]|\\.)+")')
LIFETIMES = {"expires_in", "refresh_token_expires_in"}
SECONDS = re.compile(r"\d+")


class DamagedToken(Transient):
    """The response is no JSON, or its end is missing. `refresh_token`: the new one, if the response has all of it."""

    def __init__(self, reason: str, refresh_token: str | None = None) -> None:
        super().__init__(reason)
        self.refresh_token = refresh_token


def parse_token(response: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of a token endpoint's response, which can state an error.

    Raise Transient if the endpoint is unavailable, DamagedToken if a successful response is no JSON, such as the page
    of a gateway, and httpx.HTTPStatusError or ValueError for any other response without a JSON object.
    """
    status = response.status_code
    if status == 429 or status >= 500:
        raise Transient(f"the token endpoint responded {status}", retry_after(response, datetime.now(UTC)))
    try:
        token = parse_json(response)
    except Transient as error:
        response.raise_for_status()
        raise DamagedToken(f"token request: {error}", _refresh_token(response.text)) from None
    if not isinstance(token, dict):
        response.raise_for_status()
        raise ValueError("the token endpoint's response is not a JSON object")
    for name in LIFETIMES & token.keys():
        seconds = SECONDS.match(str(token.pop(name)))
        if seconds:  # a lifetime that is no number must not cost the tokens beside it
            token[name] = int(seconds[0])
    return token


def _refresh_token(text: str) -> str | None:
    """Return the refresh token of a JSON object whose end is missing."""
    found = REFRESH_TOKEN.search(text) if text.lstrip().startswith("{") else None
    try:
        return msgspec.json.decode(found[1], type=str) if found else None
    except msgspec.DecodeError:
        return None
