"""Protection of Dagster's UI from other web pages in the same browser. Dagster has no log-in and no such check.

In: requests and websockets. Out: the UI's own requests pass; others get a refusal with a sentence.

A page of another site can make a browser send requests to 127.0.0.1. Without this check such a page could start and
delete runs.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
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
        self.names = LOOPBACK | {host, *(name.lower() for name in names)}
        self.is_public = not is_loopback(host)

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
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self.knows(hostname(f"//{hosts[0]}")):
            shown = hosts[0] if hosts else "none"
            return Refusal(403, f"Unknown host: {shown}. Open the UI at its address, or start it with --name HOST.")
        for origin in headers.getlist("origin"):
            if origin.partition("//")[2] != hosts[0] and hostname(origin) not in self.names - LOOPBACK:
                return Refusal(403, f"A page of {origin} sent this request. Only the UI's own pages may send requests.")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not is_link(headers):
            return Refusal(403, "A page of another site sent this request. Only the UI's own pages may send requests.")
        if scope["path"].rstrip("/") == "/graphql" and scope["type"] == "http":
            return graphql_refusal(scope["method"], headers)
        return None

    def knows(self, name: str | None) -> bool:
        """Return whether a host is the server's. A foreign name can resolve to this machine; an address cannot."""
        return name in self.names or (self.is_public and name is not None and is_address(name))


def graphql_refusal(method: str, headers: Headers) -> Refusal | None:
    """Return why a GraphQL request is refused, or None. GET only opens the GraphiQL page."""
    if method in READ_METHODS:
        is_page = "text/html" in headers.get("accept", "")
        return None if is_page else Refusal(405, "Send GraphQL operations by POST. GET could be an image of any page.")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return None if kind in JSON else Refusal(415, "Send GraphQL operations as application/json.")


def is_link(headers: Headers) -> bool:
    """Return whether a person followed a link of another site in a whole browser window, not in a frame."""
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


def is_loopback(host: str) -> bool:
    """Return whether only programs of this machine reach a server that listens on the host."""
    return host in LOOPBACK or (is_address(host) and ip_address(host).is_loopback)


def is_address(host: str) -> bool:
    """Return whether a host is an IP address, not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def hostname(url: str) -> str | None:
    """Return the host of a URL in lower case, without port and brackets; None if there is none."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
