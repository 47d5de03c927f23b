"""A small app behind Authentication, as a server of its own process.

In: settings of access as JSON on the command line. Out: a server, and its log at the level of all requests.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from serving.access.authentication import SERVER_OPTIONS, Authentication, csrf_token
from serving.access.log_in import log_in_routes
from serving.access.principals import access_of
from serving.access.state import State
from tests.support.home import ROOT
from tests.support.oidc import CLIENT_SECRET
from tests.support.ports import free_port
from tests.support.waiting import wait_until

ORGS = ("northwind", "harbor")


@dataclass(frozen=True)
class GuardedApp:
    """A running server. home: the folder of serving.sqlite."""

    url: str
    home: Path
    log: Path

    @property
    def state(self) -> State:
        return State(self.home / "serving.sqlite")

    def client(self, **headers: str) -> httpx.Client:
        """Return a browser: it keeps cookies, and it follows no redirect by itself."""
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", headers=headers, timeout=30)


async def who(request: Request) -> Response:
    """Return the principal, and the orgs that it may see."""
    principal = request.state.principal
    return JSONResponse(
        {
            "name": principal.name,
            "orgs": [org for org in ORGS if principal.may_see(org)],
            "role": principal.role,
            "scopes": sorted(principal.scopes),
        }
    )


async def page(request: Request) -> Response:
    """Show a form with the CSRF token."""
    return HTMLResponse(f'<input name="csrf_token" value="{csrf_token(request)}">')


async def act(request: Request) -> Response:
    """Return the body of a request that changes something."""
    return PlainTextResponse(await request.body())


async def text(request: Request) -> Response:
    """Return a response that needs no principal and may be cached."""
    return PlainTextResponse("open", headers={"Cache-Control": "max-age=9"})


@contextmanager
def run_app(home: Path, **settings: Any) -> Iterator[GuardedApp]:
    """Serve the app until the block ends. settings: people, log_in, names."""
    port, log = free_port(), home / "server.log"
    command = [
        sys.executable,
        "-m",
        "tests.support.guarded_app",
        json.dumps({"home": str(home), "port": port, **settings}),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CLIENT_SECRET": CLIENT_SECRET}
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    app = GuardedApp(f"http://127.0.0.1:{port}", home, log)

    def is_ready() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return app.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(is_ready, "the app answers", seconds=60)
        yield app
    finally:
        process.terminate()
        process.wait(20)


def main() -> None:
    """Serve the app of the settings on the command line."""
    logging.basicConfig(level=logging.INFO)  # httpx logs the addresses that it asks
    settings = json.loads(sys.argv[1])
    state = State(Path(settings["home"]) / "serving.sqlite")
    access = access_of(
        state,
        people=[SimpleNamespace(**person) for person in settings.get("people", [])],
        log_in=SimpleNamespace(**settings["log_in"]) if "log_in" in settings else None,
        environment=os.environ,
        host="127.0.0.1",
        names=settings.get("names", []),
    )
    app = Starlette(
        routes=[
            Route("/", page),
            Route("/api/who", who),
            Route("/act", act, methods=["POST"]),
            Route("/api/act", act, methods=["POST"]),
            Route("/healthz", text),
            Route("/static/file", text),
            *log_in_routes(access, state),
        ]
    )
    app.add_middleware(Authentication, access=access, state=state)
    uvicorn.run(app, port=settings["port"], **SERVER_OPTIONS)


if __name__ == "__main__":
    main()
