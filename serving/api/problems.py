"""Errors of the API: what is wrong and what to do (RFC 9457). In: a Problem, raised anywhere. Out: a JSON response."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from starlette.responses import Response


class Problem(Exception):
    """The API answers a request with an HTTP status and a sentence. allowed: the methods of a 405."""

    def __init__(self, status: int, detail: str, *, allowed: str = "") -> None:
        super().__init__(detail)
        self.status, self.detail, self.allowed = status, detail, allowed

    @property
    def title(self) -> str:
        """The words of the status."""
        return HTTPStatus(self.status).phrase

    def response(self) -> Response:
        """Return the problem as a response that no cache keeps."""
        body = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}
        headers = {"Cache-Control": "no-store", **({"Allow": self.allowed} if self.allowed else {})}
        return Response(msgspec.json.encode(body), self.status, headers, "application/problem+json")
