"""Exceptions for the errors that a platform's response can state, and redaction of secrets in their messages.

In: the reason, as the platform gives it. Out: exceptions. connectors/http/retry.py handles Throttled and Transient,
connectors/http/client.py handles TokenExpired. Callers see only VendorErrors. Their messages are for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SHORTEST_SECRET = 6  # characters: a shorter one would also redact ordinary words


class VendorError(Exception):
    """The platform's response is an error, or breaks the contract of its API. The message states what to do."""


class Rejected(VendorError):
    """The platform rejected the request. The client adds the platform and the path to the message."""


class TokenRevoked(VendorError):
    """The credentials are no longer valid. A person has to connect again."""


class NotConnected(VendorError):
    """A credential is missing. The message states how to provide it."""


class NoSecretStore(VendorError):
    """Secrets can be neither stored nor read. The message states what to do."""


class Unreachable(VendorError):
    """No response came from the platform's address: the network, a proxy or the platform is down."""


class TokenExpired(Exception):
    """The access token has expired. Renew it and send the request again."""


class Throttled(Exception):
    """The platform received too many requests. `retry_after`: seconds to wait, if the platform states them."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Transient(Throttled):
    """The platform failed temporarily."""


class JobFailed(VendorError):
    """A report job ended without a result. `response`: the platform's last response about it."""

    def __init__(self, reason: str, response: dict[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.response = response or {}


class ResponseTooLarge(VendorError):
    """The request asks for more rows than one response can have. Ask for fewer."""


def redact(text: str, credentials: Mapping[str, str], *secrets: str) -> str:
    """Return the text with each secret replaced by `***`: platforms quote what they received.

    credentials: values by name; those named *token or *secret are secrets.
    """
    known = [value for name, value in credentials.items() if name.endswith(("token", "secret"))]
    for secret in sorted((*known, *secrets), key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return text
