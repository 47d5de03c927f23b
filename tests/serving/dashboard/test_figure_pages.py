"""Pages of claims, pacing, creatives, affiliates, quality, real time and settings: they open, with and without data."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from html import unescape
from types import SimpleNamespace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.routing import Route

from cli.live_facts import live_facts
from ingestion.home import Home
from serving.dashboard import pages
from serving.orgs import OrgFiles
from serving.service import Service
from tests.support.home import copy_home
from tests.support.questions import answer

PAGES = ("claims", "pacing", "creatives", "affiliates", "quality", "realtime", "settings")


async def as_local(request, call_next):
    request.state.principal = SimpleNamespace(name="local", may_see=lambda org: True)
    request.state.csrf_token = "t"
    return await call_next(request)


class Browser:
    """Requests to an app without a server."""

    def __init__(self, app: Starlette) -> None:
        self.app = app

    def get(self, path: str, **options) -> httpx.Response:
        async def request() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.get(path, **options)

        return asyncio.run(request())


@pytest.fixture
def home(built, tmp_path):
    return copy_home(built, tmp_path / "home")


@pytest.fixture
def browser(home) -> Iterator[Browser]:
    service = Service(home, OrgFiles(home / "published"), SimpleNamespace(), live_facts(Home(home)))
    service.load()
    middleware = [Middleware(BaseHTTPMiddleware, dispatch=as_local)]
    app = Starlette(routes=[Route("/{page}", pages.show_page)], middleware=middleware)
    app.state.service, app.state.templates = service, pages.environment(home / "pages")
    yield Browser(app)
    service.orgs.close()


def text(page) -> str:
    assert page.status_code == 200, page.text
    return unescape(re.sub(r"<[^>]+>", " ", page.text))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_and_an_empty_org_gets_advice(browser, name):
    full, empty = text(browser.get(f"/{name}?org=northwind")), text(browser.get(f"/{name}?org=default"))
    assert "northwind" in full
    assert "tributary" in empty
    assert "None" not in full + empty  # a missing figure is a dash


def test_a_figure_on_a_page_is_that_of_its_question(browser, home):
    (total,) = answer(home, "northwind", "claim_totals")
    page = browser.get("/claims?org=northwind").text
    tiles = dict(re.findall(r'data-question="claim_totals" data-column="(\w+)" data-value="([^"]*)"', page))
    assert {name: tiles[name] for name in total} == {name: str(value) for name, value in total.items()}


def test_budgets_show_their_pace_and_no_org_sees_those_of_another(browser, home):
    with (home / "tributary.yaml").open("a") as file:
        file.write("budgets:\n  - {org: northwind, platform: google, monthly: 77123}\n")
    assert "$77,123.00" in text(browser.get("/pacing?org=northwind"))
    assert "77123" in text(browser.get("/settings?org=northwind"))
    for name in ("pacing", "settings"):
        page = text(browser.get(f"/{name}?org=nordlicht"))
        assert "77,123" not in page
        assert "77123" not in page


def test_a_search_is_only_a_text(browser):
    page = browser.get("/creatives", params={"org": "northwind", "search": '"><script>alert(1)</script>'})
    assert "<script>alert" not in page.text
    assert "No ad of this period fits the search" in text(page)
