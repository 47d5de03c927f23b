"""Protection of Dagster's UI from other web pages in the same browser. Dagster has no log-in and no such check.

In: requests and websockets. Out: the UI's own requests pass; others get a refusal with a sentence.

A page of another site can make a browser send requests to 127.0.0.1. Without this check such a page could start and
delete runs.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.access.same_origin import SameOrigin

JSON = frozenset({"application/json", "application/graphql"})  # a page of another site cannot send them unasked
READ_METHODS = frozenset({"GET", "HEAD"})


class Refusal(NamedTuple):
    """The HTTP status and the sentence of a refused request."""

    status: int
    reason: str


class WebGuard:
    """ASGI middleware that passes only the requests of the UI itself, and of programs that are no browser.

    host: the address that the server listens on. names: further host names under which people open the UI.
    """

    def __init__(self, app: ASGIApp, host: str, names: Collection[str] = ()) -> None:
        self.app = app
        self.same_origin = SameOrigin(host, names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request to the app, or refuse it."""
        refusal = None if scope["type"] == "lifespan" else self.refusal(scope)
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.reason})  # the handshake gets a 403
        else:
            headers = {"Allow": "POST"} if refusal.status == 405 else {}
            await PlainTextResponse(f"{refusal.reason}\n", refusal.status, headers)(scope, receive, send)

    def refusal(self, scope: Scope) -> Refusal | None:
        """Return why a request is refused, or None."""
        headers, method = Headers(scope=scope), scope.get("method", "GET")  # a websocket has no method
        if reason := self.same_origin.refusal(headers, method):
            return Refusal(403, reason)
        if scope["path"].rstrip("/") == "/graphql" and scope["type"] == "http":
            return graphql_refusal(method, headers)
        return None


def graphql_refusal(method: str, headers: Headers) -> Refusal | None:
    """Return why a GraphQL request is refused, or None. GET only opens the GraphiQL page."""
    if method in READ_METHODS:
        is_page = "text/html" in headers.get("accept", "")
        return None if is_page else Refusal(405, "Send GraphQL operations by POST. GET could be an image of any page.")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return None if kind in JSON else Refusal(415, "Send GraphQL operations as application/json.")
