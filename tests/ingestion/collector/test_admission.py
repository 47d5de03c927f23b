"""What a running collector refuses: bytes, events of one visitor, a full disk, foreign pages, other sites' keys."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from types import SimpleNamespace

import httpx
import pytest

from ingestion.collector import admission
from ingestion.collector.admission import is_from_page
from ingestion.collector.problems import Problem
from ingestion.collector.sites import read_sites
from ingestion.home import Home
from ingestion.segments.loading import load_landing
from ingestion.settings.load import load_settings
from ingestion.warehouse import build_lock, connect
from tests.support.collector import Running, collecting, receipts

SETTINGS = """
orgs: [{id: north, currency: USD}, {id: south, currency: EUR}]
sites:
  - {id: shop, org: north, public_key: pk_shop, domains: [shop.example], events_per_minute: 1000}
  - {id: big, org: north, public_key: pk_big, domains: [shop.example], events_per_minute: 1000000, mb_per_minute: 3}
  - {id: blog, org: south, public_key: pk_blog, domains: [blog.example], cookieless: true}
"""
SHOP, BLOG = "https://www.shop.example", "https://blog.example"
KEYS = {
    "TRIBUTARY_SERVER_KEY_SHOP": "sk_shop",
    "TRIBUTARY_SERVER_KEY_BLOG": "sk_blog",
    "TRIBUTARY_METRICS_KEY": "mk_metrics",
    "TRIBUTARY_ADMIN_KEY": "ak_admin",
}
PROXIES = ("--trusted-proxy", "127.0.0.1", "--trusted-proxy", "10.0.0.0/8")


@pytest.fixture(scope="module")
def collector(tmp_path_factory) -> Iterator[Running]:
    with collecting(tmp_path_factory.mktemp("admission") / "home", SETTINGS, *PROXIES, **KEYS) as running:
        yield running


def send(collector: Running, *events: dict, key: str = "pk_shop", origin: str = SHOP, visitor: str = "198.51.100.1"):
    body = gzip.compress(json.dumps({"publicKey": key, "events": events}).encode())
    headers = {"Origin": origin, "Content-Type": "text/plain", "Content-Encoding": "gzip", "X-Forwarded-For": visitor}
    return httpx.post(f"{collector.url}/api/track", content=body, headers=headers)


def page(id_: object, **members: object) -> dict:
    return {"eventId": str(id_), "type": "PAGE_VIEW", "anonId": "a", **members}


def metric(collector: Running, line: str) -> float:
    text = httpx.get(f"{collector.url}/metrics").text
    return next((float(each.rpartition(" ")[2]) for each in text.splitlines() if each.startswith(line)), 0.0)


def flushed(collector: Running) -> list[dict]:
    httpx.post(f"{collector.url}/admin/flush", headers={"Authorization": "Bearer ak_admin"}).raise_for_status()
    return receipts(collector.home)


def test_one_visitor_cannot_use_up_the_events_of_a_site(collector):
    """A tenth of the site's events, 100 a minute, is for one address: of IPv6 the whole network of a subscriber."""
    for first, second in (("198.51.100.7", "198.51.100.7"), ("2001:db8:1:1::1", "2001:db8:1:1:ffff::2")):
        taken = [send(collector, *(page(f"{first} {n}") for n in range(60)), visitor=v) for v in (first, second)]
        assert [answer.status_code for answer in taken] == [202, 429]
        assert "This address sends more than 100 events a minute" in taken[1].json()["detail"]
        assert int(taken[1].headers["retry-after"]) >= 1
    assert send(collector, page("another"), visitor="198.51.100.8").status_code == 202


def test_a_site_has_a_budget_of_bytes_that_compression_does_not_evade(collector):
    """Of 585 KB sent, 400 MB once reached the disk. Here 3 MB a minute do, however well the rest is compressed."""
    before = sum(path.stat().st_size for path in collector.home.landing.iterdir())
    began, statuses = time.monotonic(), []
    for n in range(30):
        events = [page(f"{n} {m}", title="x" * 900, url=f"{SHOP}/{'y' * 8000}") for m in range(100)]
        answer = send(collector, *events, key="pk_big", visitor=f"198.51.100.{n}")
        statuses.append(answer.status_code)
    minutes = (time.monotonic() - began) / 60
    assert set(statuses) == {202, 429}
    assert "more than 3 MB a minute" in answer.json()["detail"]
    landed = sum(path.stat().st_size for path in collector.home.landing.iterdir()) - before
    assert landed < 3_200_000 * (1 + minutes)


def test_below_the_floor_of_free_space_nothing_is_accepted(collector):
    file = collector.home.settings
    answers = []
    for floor, ready in ((10**9, 503), (0, 200)):
        file.write_text(f"{SETTINGS}collector: {{min_free_mb: {floor}}}\n")
        deadline = time.monotonic() + 60
        while (readiness := httpx.get(f"{collector.url}/readyz")).status_code != ready:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        answers += [readiness, send(collector, page(f"floor {floor}"), visitor="198.51.100.9")]
    full = answers[1]
    assert full.status_code == 503
    assert "min_free_mb is 1,000,000,000" in full.json()["detail"]
    assert all(int(answer.headers["retry-after"]) == 30 for answer in answers[:2])
    assert full.headers["access-control-allow-origin"] == "*"  # so that the browser script reads it and retries
    assert answers[3].json()["accepted"] == 1


def test_a_foreign_page_reads_why_it_is_refused(collector):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    preflight = httpx.options(f"{collector.url}/api/track", headers=asked)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, "*")
    for origin, advice in (
        ("https://evil.example", "Add its domain under domains"),
        ("null", "Serve the page over HTTP"),
        ("x" * 500, "scheme and host in ASCII"),
    ):
        answer = send(collector, page("foreign"), key="pk_blog", origin=origin)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (403, "*")
        assert advice in answer.json()["detail"]
    assert metric(collector, 'tributary_origins_refused_total{site="blog"}') == 3.0


def test_a_foreign_origin_is_logged_once_a_site_and_hour(caplog, monkeypatch, tmp_path):
    (tmp_path / "tributary.yaml").write_text(SETTINGS)
    sites, state, clock = read_sites(Home(tmp_path)), SimpleNamespace(origin_logged_at={}), [0.0]
    monkeypatch.setattr(admission, "monotonic", lambda: clock[0])
    for seconds in (0, 1, 3599, 3600, 3601):
        clock[0] = seconds
        for site in ("shop", "blog"):
            for origin in (b"https://evil.example", b"\x1b[31m"):
                with pytest.raises(Problem, match="does not have this origin"):
                    is_from_page(state, sites.by_id[site], {b"origin": origin})
    logged = [record.getMessage().partition(":")[0] for record in caplog.records]
    assert logged == [f"site {site} rejects a page of https" for site in ("shop", "blog") * 2]


def test_metrics_need_a_key_except_on_the_machine_itself(collector):
    def status(**headers: str) -> int:
        return httpx.get(f"{collector.url}/metrics", headers=headers).status_code

    outside = {"X-Forwarded-For": "198.51.100.1"}
    assert status() == 200
    assert status(**outside) == 401
    assert status(**outside, Authorization="Bearer guess") == 401
    assert status(**outside, Authorization="Bearer mk_metrics") == 200
    assert status(**outside, Authorization="Bearer ak_admin") == 200
    assert status(Via="1.1 a-proxy-that-nobody-named") == 401


def test_the_visitor_is_the_last_address_that_no_trusted_proxy_has(collector):
    """A visitor can write anything in front of the address that the first proxy appends."""
    visitors = {
        "first": [
            "203.0.113.5",
            "1.1.1.1, 203.0.113.5",
            "203.0.113.5, 10.1.2.3",
            "1.1.1.1, 203.0.113.5, 10.9.9.9",
        ],
        "second": ["203.0.113.6:4711, 10.1.2.3", "junk, ::1, 203.0.113.6", "::ffff:203.0.113.6, 10.0.0.1"],
        "third": ["2001:db8::5", "[2001:db8::5]:4711, 10.0.0.1"],
    }
    for visitor, chains in visitors.items():
        for n, chain in enumerate(chains):
            assert send(collector, page(f"{visitor} {n}"), visitor=chain).status_code == 202
    hashes: dict[str, set[str]] = {visitor: set() for visitor in visitors}
    for receipt in flushed(collector):
        for row in receipt.get("rows", []):
            if (visitor := row["event_id"].rpartition(" ")[0]) in hashes:
                hashes[visitor].add(receipt["ip"])
    assert [len(found) for found in hashes.values()] == [1, 1, 1]
    assert len(set.union(*hashes.values())) == 3


def test_no_door_of_one_org_writes_into_another(collector):
    """The last of the tests: it loads everything that the collector accepted."""
    blog = {"key": "pk_blog", "origin": BLOG}
    assert send(collector, page("own"), **blog).status_code == 202
    assert send(collector, page("foreign key"), key="pk_blog", origin=SHOP).status_code == 403
    mixed = send(collector, page("mixed", publicKey="pk_shop"), page("named", org="north", siteId="shop"), **blog)
    assert [error["reason"] for error in mixed.json()["errors"]] == ["other_site"]
    for path, body in (
        ("/api/track", page("server")),
        ("/api/events/checkout", {"event": "checkout_started", "id": "server step", "anonId": "a"}),
        ("/api/survey", {"question": "How?", "answer": "So", "anonId": "a"}),
    ):
        headers = {"Authorization": "Bearer sk_blog", "Content-Type": "text/plain"}
        answer = httpx.post(
            f"{collector.url}{path}", content=json.dumps({"publicKey": "pk_shop"} | body), headers=headers
        )
        assert answer.status_code == 403, path
    for path in ("/webhooks/shopify/shop", "/webhooks/stripe/blog", "/postbacks/none", "/webhooks/shopify/..%2Fshop"):
        assert httpx.post(f"{collector.url}{path}", content=b"{}").status_code == 404, path
    collector.stop()
    with build_lock(collector.home, "test"), connect(collector.home) as raw:
        load_landing(raw, collector.home, load_settings(collector.home))
        found = raw.execute("select distinct org_id, site_id from raw.events order by all").fetchall()
        assert found == [("north", "big"), ("north", "shop"), ("south", "blog")]
        (south,) = raw.execute(
            "select list(event_id order by event_id) from raw.events where org_id = 'south'"
        ).fetchone()
        assert south == ["named", "own"]
        failed = raw.execute("select org_id, site_id from raw.failed_events where reason = 'other_site'").fetchall()
        assert failed == [("south", "blog")]
