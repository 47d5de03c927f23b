"""Pages of claims, pacing, creatives, affiliates, quality, real time and settings: they open, with and without data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from serving.access.state import SCOPES
from tests.support.home import copy_home
from tests.support.questions import answer
from tests.support.serving import app_on, client_of, service_on

PAGES = ("claims", "pacing", "creatives", "affiliates", "quality", "realtime", "settings")


@pytest.fixture
def home(built, tmp_path) -> Path:
    return copy_home(built, tmp_path / "home")


@pytest.fixture
def browser(home) -> Iterator[TestClient]:
    service = service_on(home, home)
    yield client_of(app_on(service))
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


def test_only_an_admin_sees_the_settings(home):
    service = service_on(home, home)
    _, of_org = service.state.create_key("northwind", SCOPES, "org", "local")
    _, of_all = service.state.create_key(None, SCOPES, "admin", "local")
    app = app_on(service, needs_key=True)
    pages = {key: text(client_of(app, key).get("/settings?org=northwind")) for key in (of_org, of_all)}
    assert "Site tag seen" in pages[of_org]
    assert "pk_5e1f0c9a7b3d" not in pages[of_org]
    assert "pk_5e1f0c9a7b3d" in pages[of_all]
    service.orgs.close()
