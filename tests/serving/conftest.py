"""A dashboard on published homes. In: the home `built`. Out: a running server, a browser."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright

from cli.live_facts import live_facts
from ingestion.home import Home
from ingestion.listening import listen
from serving.access.principals import access_of
from serving.access.state import State
from serving.app import create_app
from serving.orgs import OrgFiles
from serving.service import Service
from tests.support.home import CHROMIUM, copy_home
from tests.support.waiting import wait_until


@dataclass(frozen=True)
class Dashboard:
    """A server of the read side in this process."""

    home: Path
    url: str
    service: Service


@pytest.fixture(scope="module")
def dashboard(built, tmp_path_factory) -> Iterator[Dashboard]:
    """The dashboard of a copy of the home `built`, without log-in, on a free port."""
    home = Home(copy_home(built, tmp_path_factory.mktemp("dashboard") / "home"))
    state = State(home.root / "serving.sqlite")
    service = Service(home.root, OrgFiles(home.published), state, live_facts(home))
    service.load()
    access = access_of(state, people=[], log_in=None, environment=os.environ, host="127.0.0.1")
    sock = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(service, access), log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started, "the dashboard listens")
    yield Dashboard(home.root, f"http://127.0.0.1:{sock.getsockname()[1]}", service)
    server.should_exit = True
    thread.join(30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a screen."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()
