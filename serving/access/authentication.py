"""ASGI middleware that finds the principal of each request, and protects its session.

In: requests, Access, State. Out: `request.state.principal` and `request.state.csrf_token` for the app; refusals;
security headers on each response.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qs, quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.access.failed_log_ins import FailedLogIns
from serving.access.principals import LOCAL, Access, Principal, key_principal
from serving.access.same_origin import SAFE_METHODS, SameOrigin
from serving.access.security_headers import add_security_headers
from serving.access.sessions import LOG_IN, Cookies
from serving.access.state import State, key_id

# Options of uvicorn. Its access log has query strings, and the one of a log-in has the provider's code.
SERVER_OPTIONS = {"access_log": False, "server_header": False}
MAX_FORM_BYTES = 65_536
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def csrf_token(request: Request) -> str:
    """Return the value of the form field csrf_token, or of the header X-CSRF-Token."""
    return str(request.state.csrf_token)


class Refused(Exception):
    """A request that the app does not get."""

    def __init__(self, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.title, self.detail, self.headers = status, title, detail, dict(headers or {})

    def response(self, path: str) -> Response:
        """Return problem+json for the API, and a sentence for others."""
        if not is_api(path):
            return PlainTextResponse(f"{self.detail}\n", self.status, self.headers)
        problem = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}
        return JSONResponse(problem, self.status, self.headers, media_type="application/problem+json")


class Authentication:
    """ASGI middleware: finds the principal of a request, or refuses it. The app sees `request.state.principal`."""

    def __init__(self, app: ASGIApp, access: Access, state: State) -> None:
        self.app, self.access, self.state = app, access, state
        self.cookies = Cookies(access.session_secret)
        self.same_origin = SameOrigin(access.host, access.names)
        self.failures = FailedLogIns(state)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request to the app, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_security_headers(MutableHeaders(scope=message))
            await send(message)

        request = Request(scope)
        try:
            receive = await self.check(request, receive)
        except Refused as refused:
            await refused.response(request.url.path)(scope, receive, send_with_headers)
            return
        if scope["state"]["principal"] is None and not is_open(request.url.path):
            await log_in_redirect(request)(scope, receive, send_with_headers)
            return
        await self.app(scope, receive, send_with_headers)

    async def check(self, request: Request, receive: Receive) -> Receive:
        """Set the principal and the CSRF token of a request. Return a Receive with its body. Raise Refused."""
        if reason := self.same_origin.refusal(request.headers, request.method):
            raise Refused(403, "Refused", reason)
        if self.access.is_local and any(name in request.headers for name in _FORWARDED):
            raise Refused(
                403,
                "Refused",
                "A proxy sent this request, and the server needs no log-in. Start it with --name HOST of the proxy.",
            )
        principal, identity = await self.identify(request)
        if principal is None and is_api(request.url.path):
            raise Refused(
                401, "Key needed", "Send Authorization: Bearer <API key>, or log in.", {"WWW-Authenticate": "Bearer"}
            )
        token = self.cookies.csrf_token(identity) if identity else ""
        request.scope["state"] = {**request.scope.get("state", {}), "principal": principal, "csrf_token": token}
        if request.method in SAFE_METHODS:
            return receive
        body = await form_body(receive)
        # A browser does not add the header Authorization to the request of another site's page.
        if "authorization" not in request.headers:
            given = csrf_token_sent(request.headers, body)
            if not token or not hmac.compare_digest(given.encode(), token.encode()):
                raise Refused(
                    403, "Refused", "The form is too old, or a page of another site sent it. Reload the page."
                )
        return replay(body, receive)

    async def identify(self, request: Request) -> tuple[Principal | None, str | None]:
        """Return the principal, and the identity to which the CSRF token belongs. Refused for an invalid key."""
        if "authorization" in request.headers:
            return await self.key_of_header(request.headers["authorization"]), None
        if session := self.cookies.session(request):
            kind, _, name = session.subject.partition(" ")
            if not self.state.has_ended(session.id):
                key = self.state.valid_key(name) if kind == "key" else None
                principal = key_principal(key) if key else self.access.person(name) if kind == "person" else None
                if principal:
                    return principal, session.id
        if self.access.is_local:
            return LOCAL, "local"
        visit = self.cookies.read(request, LOG_IN)
        return None, visit["visit"] if visit else None

    async def key_of_header(self, header: str) -> Principal:
        """Return the principal of a Bearer key. Refused if the key is unknown or revoked."""
        scheme, _, text = header.partition(" ")
        key = self.state.find_key(text.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            await run_in_threadpool(self.failures.record, key_name(text), "invalid key")
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise Refused(401, "Invalid key", "This key is unknown or revoked. Ask for a new one.", challenge)
        await run_in_threadpool(self.state.note_use, key)
        return key_principal(key)


def key_name(text: str) -> str:
    """Return the name of a key for the audit, without its secret."""
    identity = key_id(text.strip())
    return f"key {identity}" if identity else "unknown"


def is_api(path: str) -> bool:
    """Return whether programs read the answer."""
    return path == "/api" or path.startswith("/api/")


def is_open(path: str) -> bool:
    """Return whether a path needs no principal."""
    return path in ("/log-in", "/healthz") or path.startswith(("/log-in/", "/static/"))


def log_in_redirect(request: Request) -> Response:
    """Return a redirect to the log-in page, which leads back to a page that was read."""
    page = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = "/log-in" + (f"?next={quote(page, safe='')}" if request.method == "GET" else "")
    if "hx-request" in request.headers:  # htmx would follow a redirect and put the log-in page into a part of the page
        return Response(status_code=401, headers={"HX-Redirect": "/log-in"})
    return RedirectResponse(target, 303)


async def form_body(receive: Receive) -> bytes:
    """Return the body of a request. Refused for a large one, which would fill the memory before any log-in."""
    body, has_more = b"", True
    while has_more:
        message = await receive()
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
        if len(body) > MAX_FORM_BYTES:
            raise Refused(413, "Too large", f"A form has at most {MAX_FORM_BYTES:,} bytes.")
    return body


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a Receive that begins with a body that was read."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return messages.pop() if messages else await receive()

    return next_message


def csrf_token_sent(headers: Headers, body: bytes) -> str:
    """Return the CSRF token of a request: from its header, or from the form in its body."""
    if "x-csrf-token" in headers:
        return headers["x-csrf-token"]
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return ""
    return parse_qs(body.decode(errors="replace")).get("csrf_token", [""])[0]
