"""A dashboard on published homes, and a browser. In: the home `built`. Out: a running server, Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from serving.service import Service
from tests.support.home import CHROMIUM, copy_home
from tests.support.serving import app_on, running, service_on


@dataclass(frozen=True)
class Dashboard:
    """A server of the read side in this process."""

    home: Path
    url: str
    service: Service


@pytest.fixture(scope="module")
def dashboard(built, tmp_path_factory) -> Iterator[Dashboard]:
    """The dashboard of a copy of the home `built`, without log-in, on a free port."""
    home = copy_home(built, tmp_path_factory.mktemp("dashboard") / "home")
    service = service_on(home, home)
    with running(app_on(service)) as url:
        yield Dashboard(home, url, service)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a screen."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()
