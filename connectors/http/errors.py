"""What an answer can be instead of good. Raised by Platform.check and connectors/http/transport.py:
what is left once it has waited and renewed is a VendorError, whose message is for people."""

from __future__ import annotations

from collections.abc import Mapping


class VendorError(Exception):
    """The platform refused or answered what its contract does not say; the message says what to do."""


class Refused(VendorError):
    """The platform said no, and this is why: who refused what is put before it (connectors/http/transport.py)."""


class TokenRevoked(VendorError):
    """The credentials are no longer good: a person has to connect again."""


class NotConnected(VendorError):
    """There are no credentials, or one is missing; the message says how to bring it."""


class NoSecretStore(VendorError):
    """Secrets can be neither kept nor read; the message says what to do."""


class TokenExpired(Exception):
    """The access token ran out: renew it and ask again."""


class Throttled(Exception):
    """Asked too often. `after`: the seconds that the platform wants to be left alone, where it says."""

    def __init__(self, why: str, after: float | None = None) -> None:
        super().__init__(why)
        self.after = after


class Transient(Throttled):
    """A failure of the moment."""


class TooMuch(VendorError):
    """The question is too large for one answer: ask for less at once."""


def without(text: str, credentials: Mapping[str, str], *more: str) -> str:
    """The text, with every secret in it blackened: platforms quote what they were sent."""
    secrets = [value for name, value in credentials.items() if name.endswith(("token", "secret"))]
    for secret in sorted((*secrets, *more), key=len, reverse=True):
        if len(secret) >= 6:  # shorter ones are words
            text = text.replace(secret, "***")
    return text
