"""Log-in and log-out: with an OpenID Connect provider, or with an API key.

In: Access, State, requests. Out: routes, which begin and end sessions.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from serving.access.authentication import key_name
from serving.access.failed_log_ins import FailedLogIns
from serving.access.oidc import TOO_OLD, Denied, begin, verified_email
from serving.access.principals import Access, key_principal
from serving.access.sessions import LOG_IN, SESSION, Cookies, needs_https
from serving.access.state import State

PAGES = Environment(loader=FileSystemLoader(Path(__file__).parents[1] / "dashboard" / "templates"), autoescape=True)


def log_in_routes(access: Access, state: State) -> Sequence[Route]:
    """Return the routes /log-in, /log-in/start, /log-in/callback and /log-out."""
    pages = LogIn(access, state)
    return [
        Route("/log-in", pages.page, methods=["GET"]),
        Route("/log-in", pages.with_key, methods=["POST"]),
        Route("/log-in/start", pages.start, methods=["GET"]),
        Route("/log-in/callback", pages.callback, methods=["GET"]),
        Route("/log-out", pages.log_out, methods=["POST"]),
    ]


class LogIn:
    """The pages of log-in and log-out."""

    def __init__(self, access: Access, state: State) -> None:
        self.access, self.state = access, state
        self.cookies = Cookies(access.session_secret)
        self.failures = FailedLogIns(state)

    async def page(self, request: Request) -> Response:
        """Show the ways to log in."""
        page = safe_page(request.query_params.get("next", "/"))
        if request.state.principal:
            return RedirectResponse(page, 303)
        return self.show(request, page)

    async def with_key(self, request: Request) -> Response:
        """Begin a session with an API key."""
        fields = parse_qs((await request.body()).decode(errors="replace"))
        text, page = fields.get("key", [""])[0].strip(), safe_page(fields.get("next", ["/"])[0])
        key = self.state.find_key(text)
        if key is None:
            await run_in_threadpool(self.failures.record, key_name(text), "invalid key")
            return self.show(request, page, "This key is unknown or revoked. Check that it is complete.", 403)
        await run_in_threadpool(self.state.note_use, key)
        name = key_principal(key).name
        return await self.begin(request, name, name, page, key.org)

    async def start(self, request: Request) -> Response:
        """Send the person to the provider."""
        page = safe_page(request.query_params.get("next", "/"))
        if self.access.oidc is None or not is_protected(request):
            return RedirectResponse("/log-in", 303)
        try:
            target, under_way = await run_in_threadpool(begin, self.access.oidc, callback_url(request))
        except Denied as denied:
            return self.show(request, page, str(denied), denied.status)
        response = RedirectResponse(target, 303)
        claims = {"visit": self.visit(request), "next": page, "under_way": under_way}
        self.cookies.write(response, request, LOG_IN, claims)
        return response

    async def callback(self, request: Request) -> Response:
        """Begin a session for the person whom the provider identified."""
        begun = self.cookies.read(request, LOG_IN) or {}
        page = safe_page(begun.get("next", "/"))
        try:
            if self.access.oidc is None or "under_way" not in begun:
                raise Denied(400, TOO_OLD, "no log-in under way")
            query = dict(request.query_params)
            email = await run_in_threadpool(verified_email, self.access.oidc, query, begun["under_way"])
            if self.access.person(email) is None:
                message = f"{email} has no access yet. Ask the admin to add the address to people in tributary.yaml."
                raise Denied(403, message, "not in people", email)
        except Denied as denied:
            await run_in_threadpool(self.failures.record, denied.email, denied.reason)
            return self.show(request, page, str(denied), denied.status)
        return await self.begin(request, email, f"person {email}", page)

    async def begin(self, request: Request, name: str, subject: str, page: str, org: str | None = None) -> Response:
        """Begin a session and show the page. subject: as in Session."""
        await run_in_threadpool(self.state.record, name, "log_in", org)
        response = RedirectResponse(page, 303)
        self.cookies.write(response, request, SESSION, {"sid": secrets.token_hex(16), "sub": subject})
        self.cookies.delete(response, request, LOG_IN)
        return response

    async def log_out(self, request: Request) -> Response:
        """End the session, so that a copy of its cookie is useless."""
        if session := self.cookies.session(request):
            await run_in_threadpool(self.state.end_session, session.id, session.expires_at)
            await run_in_threadpool(self.state.record, request.state.principal.name, "log_out")
        response = RedirectResponse("/log-in", 303)
        self.cookies.delete(response, request, SESSION)
        return response

    def show(self, request: Request, page: str, error: str = "", status: int = 200) -> Response:
        """Return the log-in page, with a cookie for its form."""
        visit = self.visit(request)
        html = PAGES.get_template("log_in.html").render(
            error=error,
            next=page,
            provider=urlsplit(self.access.oidc.issuer).hostname if self.access.oidc else None,
            csrf_token=self.cookies.csrf_token(visit),
            is_protected=is_protected(request),
        )
        response = HTMLResponse(html, status, {"Cache-Control": "no-store"})
        self.cookies.write(response, request, LOG_IN, {"visit": visit})
        return response

    def visit(self, request: Request) -> str:
        """Return the id to which the form's CSRF token belongs; the same one in each tab of a browser."""
        begun = self.cookies.read(request, LOG_IN)
        return str(begun["visit"]) if begun else secrets.token_hex(16)


def is_protected(request: Request) -> bool:
    """Return whether the browser will send the cookies back: over HTTPS, or to this machine."""
    return request.url.scheme == "https" or not needs_https(request)


def callback_url(request: Request) -> str:
    """Return the address to which the provider sends the browser. Authentication has checked the host."""
    return f"{request.url.scheme}://{request.url.netloc}/log-in/callback"


def safe_page(page: str) -> str:
    """Return the path of a page of this server; / for any other address. //host and /\\host lead to other servers."""
    return page if re.fullmatch(r"/(?![/\\])[^\x00-\x20\\\x7f]{0,2000}", page) else "/"
