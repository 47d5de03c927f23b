"""The one way to answer a request with an error. In: a Problem, raised anywhere. Out: a JSON problem (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from math import ceil

import msgspec

Headers = list[tuple[bytes, bytes]]


class Problem(Exception):
    """The collector rejects the whole request with an HTTP status, and stores nothing of it."""

    def __init__(self, status: int, title: str, detail: str, *, retry_after: float | None = None) -> None:
        """retry_after: seconds after which the same request may succeed."""
        super().__init__(detail)
        self.status, self.title, self.detail, self.retry_after = status, title, detail, retry_after

    def body(self) -> bytes:
        return msgspec.json.encode(
            {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}
        )

    def headers(self) -> Headers:
        headers = [(b"content-type", b"application/problem+json"), (b"cache-control", b"no-store")]
        if self.retry_after is not None:
            headers.append((b"retry-after", str(max(1, ceil(self.retry_after))).encode()))
        if self.status in (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_TIMEOUT):
            headers.append((b"connection", b"close"))  # the rest of the body is not read
        return headers


def storage_unavailable(reason: object, retry_after: float = 5) -> Problem:
    """Return the problem of a landing folder that takes no writes at the moment."""
    detail = f"The collector cannot store events now ({reason}). It stored nothing of this request: send it again later"
    return Problem(503, "Storage unavailable", detail, retry_after=retry_after)


def internal_error() -> Problem:
    """Return the problem of a failure in the collector's code."""
    return Problem(500, "Internal error", "The collector failed on this request. Its log names the line of code")
