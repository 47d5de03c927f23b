"""`tributary check` on a page with the tag: what is wrong with it, by the answers of the page and of the collector."""

from __future__ import annotations

import httpx
import pytest

from cli import check_tag
from ingestion.collector.sites import read_sites
from ingestion.home import Home

SETTINGS = """\
orgs: [{id: a, currency: USD}]
sites: [{id: shop, org: a, public_key: pk_1, domains: [shop.example]}]
"""
PAGE, SCRIPT = "https://www.shop.example/", "https://t.shop.example/t.js"
TAG = f'<script async src="{SCRIPT}" data-key="pk_1" data-auto="forms"></script>'


@pytest.mark.parametrize(
    ("page", "html", "words"),
    [
        (PAGE, TAG, []),
        (PAGE, "<script src='/app.js'></script>", ["has no tag", "tributary snippet SITE"]),
        (PAGE, TAG * 2, ["2 tags", "counts twice"]),
        (PAGE, TAG.replace("pk_1", "pk_2"), ["'pk_2' is of no site"]),
        (PAGE, TAG.replace("forms", "forms,outbond"), ["Do you mean outbound?"]),
        (PAGE, TAG.replace("https://t.", "t."), ["the script does not load", "/t.shop.example/t.js responded 404"]),
        (PAGE, TAG.replace(SCRIPT, PAGE + "t.js"), [f"{PAGE}t.js is no script"]),
        (PAGE, TAG.replace("https:", "http:"), ["browsers load no http:", "https"]),
        ("https://other.example/", TAG, ["does not allow https://other.example", "Add other.example to its domains"]),
        ("https://gone.example/", TAG, ["no response from https://gone.example/ (ConnectError)"]),
    ],
)
def test_the_tag_of_a_page(tmp_path, monkeypatch, page: str, html: str, words: list[str]) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.host == "gone.example":
            raise httpx.ConnectError("")
        if str(request.url) == SCRIPT:
            return httpx.Response(200, headers={"content-type": "text/javascript"})
        return httpx.Response(200 if request.url.path in ("/", "/t.js") else 404, html=html)

    (tmp_path / "tributary.yaml").write_text(SETTINGS)
    client = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **options: client(transport=httpx.MockTransport(respond), **options))
    problems = [
        found.sentence for found in check_tag.check_page(page, read_sites(Home(tmp_path))) if found.level != "good"
    ]
    assert bool(problems) == bool(words)
    assert not [word for word in words if word not in " ".join(problems)], problems
