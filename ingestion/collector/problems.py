"""Why a request was not answered with 202. In: Refused, raised anywhere. Out: a JSON problem (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from math import ceil

import msgspec

Headers = list[tuple[bytes, bytes]]


class Refused(Exception):
    """The request as a whole is refused with an HTTP status; nothing of it was kept."""

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


def unavailable(reason: object) -> Refused:
    """The disk does not take more at the moment."""
    detail = f"Events cannot be stored now ({reason}): nothing was kept, send them again later"
    return Refused(503, "Storage unavailable", detail, retry_after=5)
