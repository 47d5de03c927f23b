"""Build the site of the documents and follow its links from the first page, as a reader does."""

from __future__ import annotations

import runpy
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.support.home import ROOT

site = runpy.run_path(str(ROOT / "docs" / "build_site.py"))


class Page(HTMLParser):
    """The links, the addresses that a browser loads, and the anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links, self.loaded, self.anchors = set(), set(), set()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.anchors |= {values["id"]} if values.get("id") else set()
        if tag == "a" and values.get("href"):
            self.links.add(values["href"])
        elif tag in ("link", "script", "img"):
            self.loaded.add(values.get("src") or values.get("href") or "")


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site["build"](tmp_path_factory.mktemp("site") / "site")


@pytest.fixture(scope="module")
def reached(html: Path) -> dict[Path, Page]:
    """The pages that links lead to from the first page; a link to nothing fails the test."""
    found, waiting, dead = {}, [html / "index.html"], []
    while waiting:
        path = waiting.pop()
        found[path] = Page(path)
        for link in found[path].links:
            target = urlsplit(link)
            if target.scheme or not target.path or target.path == "/models/":  # dbt adds its own pages
                continue
            page = (path.parent / unquote(target.path)).resolve()
            page = page / "index.html" if page.is_dir() else page
            if not page.exists():
                dead.append(f"{path.relative_to(html)}: {link}")
            elif page.suffix == ".html" and page not in found and page not in waiting:
                waiting.append(page)
    assert not dead
    return found


def test_every_page_is_reached_from_the_first(html: Path, reached: dict[Path, Page]) -> None:
    pages = set(html.rglob("*.html")) - {html / "404.html"}
    assert len(pages) == len(site["pages"]())
    assert set(reached) == pages


def test_every_anchor_exists(reached: dict[Path, Page]) -> None:
    dead = []
    for path, page in reached.items():
        for link in page.links:
            target = urlsplit(link)
            if target.scheme or not target.fragment:
                continue
            to = (path.parent / unquote(target.path)).resolve() if target.path else path
            to = to / "index.html" if to.is_dir() else to
            if unquote(target.fragment) not in reached[to].anchors:
                dead.append(f"{path.parent.name}: {link}")
    assert not dead


def test_the_site_loads_nothing_from_another_host(reached: dict[Path, Page]) -> None:
    assert not {address for page in reached.values() for address in page.loaded if urlsplit(address).netloc}
