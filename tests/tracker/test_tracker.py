"""The browser script in a real browser against a real collector: each click lands once.

Pages come from a small server that answers to any host name; each test has separate pages (a folder of the site), and
reads the collector's segments.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import threading
import time
import wave
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, sync_playwright

from ingestion.home import Home
from ingestion.segments.format import is_whole
from ingestion.segments.loading import load_landing
from ingestion.settings.load import load_settings
from ingestion.warehouse import build_lock, connect
from tests.support.home import CHROMIUM, COMMAND, needs_chromium

pytestmark = needs_chromium

STUB = "<script>window.tributary=window.tributary||function(){(tributary.q=tributary.q||[]).push(arguments)}</script>"
PLAIN = "Object.fromEntries(Object.entries(localStorage).map(([name, value]) => [name.replace(/q[.].*/, 'q'), value]))"


@dataclass
class World:
    """A collector, the server of the site's pages, and a browser."""

    collector: str
    home: Path
    port: int  # of the pages
    browser: Browser
    pages: dict[str, str] = field(default_factory=dict)  # folder -> what its pages hold

    def url(self, place: str, host: str = "shop.example") -> str:
        return f"http://{host}:{self.port}/{place}"

    def page(self, folder: str, options: str = "", body: str = "", key: str = "pk_test") -> None:
        """Pages under /folder/ with a tag of these options."""
        tag = f'<script async src="{self.collector}/t.js" data-key="{key}" {options}></script>'
        self.pages[folder] = f"<!doctype html><title>{folder}</title>{STUB}{tag}<body>{body}</body>"

    def rows(self, folder: str) -> list[dict]:
        """The events of the folder's pages that landed, in order."""
        found = [row for row in self.all_rows() if f"/{folder}/" in row.get("url", "")]
        # As texts, a whole second (56Z) would follow its own fractions (56.439Z).
        return sorted(found, key=lambda row: datetime.fromisoformat(row["occurred_at"]))

    def all_rows(self) -> list[dict]:
        landing = self.home / "landing"
        lines: list[bytes] = []
        # A listing has both names of a segment that is renamed meanwhile: read each segment once.
        for name in sorted({path.stem for path in landing.iterdir() if path.suffix in (".open", ".ndjson")}):
            try:
                content = (landing / f"{name}.open").read_bytes()
            except FileNotFoundError:  # closed
                content = (landing / f"{name}.ndjson").read_bytes()
            lines += content.splitlines(keepends=True)
        return [row for line in lines if is_whole(line) for row in json.loads(line).get("rows", [])]

    def landed(self, folder: str, count: int) -> list[dict]:
        """Those rows, once there are so many; fails when there are more, or after a while fewer."""
        rows = eventually(lambda: found if len(found := self.rows(folder)) >= count else None)
        rows = rows or self.rows(folder)
        assert len(rows) == count, dict(Counter(row["type"] for row in rows))
        return rows

    def visitor(self, **options) -> BrowserContext:
        return self.browser.new_context(**options)


def eventually(look: Callable[[], Any], seconds: float = 20) -> Any:
    """What is found as soon as it is there, or what there is at the end. Routes are served while `look` asks a page."""
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("tracked")
    pages: dict[str, str] = {}
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        file.writeframes(b"\x80" * 8000)  # a second

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_sound = ".wav" in self.path
            content = sound.getvalue() if is_sound else pages.get(self.path.split("/")[1], "").encode()
            self.send_response(200 if content else 404)
            self.send_header("content-type", "audio/wav" if is_sound else "text/html; charset=utf-8")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port, collector_port = server.server_port, free_port()
    origins = ", ".join(f"http://{host}.example:{port}" for host in ("shop", "www.shop", "blog"))
    home.joinpath("tributary.yaml").write_text(
        "orgs: [{id: default, currency: EUR}]\n"
        "sites:\n"
        f"  - {{id: shop, org: default, public_key: pk_test, origins: [{origins}]}}\n"
        f"  - {{id: bare, org: default, public_key: pk_bare, origins: [{origins}], cookieless: true}}\n"
    )
    collector = subprocess.Popen(
        [COMMAND, "collect", "--port", str(collector_port)],
        env={**os.environ, "TRIBUTARY_HOME": str(home)},
        stdout=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{collector_port}"
    try:
        assert eventually(lambda: is_ready(address)), "the collector did not start"
        with sync_playwright() as playwright:
            resolved = "--host-resolver-rules=MAP *.example 127.0.0.1"
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", resolved])
            yield World(address, home, port, browser, pages)
            browser.close()
    finally:
        collector.terminate()
        collector.wait(20)
        server.shutdown()


def is_ready(address: str) -> bool:
    try:
        return urlopen(f"{address}/healthz", timeout=5).status == 200
    except OSError:
        return False


def opened(context: BrowserContext, url: str) -> Page:
    """A page with a running script."""
    page = context.new_page()
    page.goto(url)
    page.wait_for_function("window.tributary && window.tributary.kit")
    return page


def address(page: Page) -> str:
    """What the address bar shows; page.url may lag behind."""
    return page.evaluate("location.href")


def sent(page: Page) -> list[dict]:
    """Events that wait in this browser's storage."""
    queues = page.evaluate("Object.entries(localStorage).filter(([name]) => name.startsWith('_tb_q.')).map(e => e[1])")
    return [event for queue in queues for event in json.loads(queue)["events"]]


def test_page_views_follow_the_address_not_the_calls(world: World) -> None:
    world.page("spa", options="")
    page = opened(world.visitor(), world.url("spa/home?utm_source=x"))
    page.evaluate("document.title = 'Other'; history.pushState({}, '', '/spa/other')")
    world.landed("spa", 2)
    page.evaluate("history.replaceState({scroll: 1}, '', '/spa/other')")
    page.evaluate("history.pushState({}, '', '/spa/other#part')")
    page.evaluate("history.pushState({}, '', '/spa/other?page=2')")
    world.landed("spa", 3)
    page.evaluate("location.hash = '#/route'")
    world.landed("spa", 4)
    page.go_back()
    rows = world.landed("spa", 5)
    base = world.url("spa/")
    assert [row["url"].removeprefix(base) for row in rows] == [
        "home?utm_source=x",
        "other",
        "other?page=2",
        "other?page=2#/route",
        "other?page=2",
    ]
    assert [row.get("referrer") for row in rows] == [None, *(row["url"] for row in rows[:-1])]
    assert [row["title"] for row in rows] == ["spa", *4 * ["Other"]]
    assert {row["type"] for row in rows} == {"PAGE_VIEW"}
    assert all(row["properties"] == {"webdriver": True} for row in rows)
    assert len({(row["anon_id"], row["session_id"]) for row in rows}) == 1


def test_calls_made_before_and_after_the_script_loads(world: World) -> None:
    world.page(
        "calls",
        body="""<script>
          const order = {value: '49.10', currency: 'EUR', orderId: 1001, coupon: 'MAY'}
          tributary('conversion', {...order, email: 'Ann@Example.com'})
          tributary('identify', {userId: 42})
        </script>""",
    )
    page = opened(world.visitor(), world.url("calls/"))
    page.evaluate("tributary('event', 'watched the tour', {minutes: 3}); tributary('cart', {sku: 'K'})")
    rows = world.landed("calls", 6)
    by_type = {row["type"]: row for row in rows if row["type"] != "IDENTIFY"}
    assert by_type["CONVERSION"]["value_micros"] == 49_100_000
    assert (by_type["CONVERSION"]["currency"], by_type["CONVERSION"]["order_id"]) == ("EUR", "1001")
    assert by_type["CONVERSION"]["properties"] == {"coupon": "MAY"}
    assert by_type["CUSTOM"]["properties"] == {"name": "watched the tour", "minutes": 3}
    assert by_type["ADD_TO_CART"]["properties"] == {"sku": "K"}
    identified = [row for row in rows if row["type"] == "IDENTIFY"]
    assert {row.get("user_id") for row in identified} == {None, "42"}
    assert sum("email_hash" in row for row in identified) == 1
    assert len({row["anon_id"] for row in rows}) == 1


def test_events_of_an_offline_page_land_once_and_no_address_is_stored(world: World) -> None:
    world.page("offline")
    context = world.visitor()
    page = opened(context, world.url("offline/"))
    world.landed("offline", 1)
    context.set_offline(True)
    page.evaluate("for (let n = 0; n < 250; n++) tributary('event', 'a step', {n})")
    person = "email: 'ann@example.com', phone: '+49 30 123456789'"
    page.evaluate(f"tributary('conversion', {{value: 5, orderId: 'o', {person}}})")
    page.wait_for_timeout(1500)  # a first attempt has failed by then; whether it has does not matter
    assert len(sent(page)) == 251
    stored = page.evaluate("JSON.stringify(localStorage)")
    assert "ann@example.com" not in stored
    assert "123456789" not in stored  # four digits can be part of a random id
    assert len(world.rows("offline")) == 1
    context.set_offline(False)
    rows = world.landed("offline", 253)
    assert sorted(row["properties"]["n"] for row in rows if row["type"] == "CUSTOM") == list(range(250))
    assert eventually(lambda: not sent(page))


def test_the_queue_is_bounded_and_keeps_conversions(world: World) -> None:
    world.page("bounded")
    context = world.visitor()
    page = opened(context, world.url("bounded/"))
    world.landed("bounded", 1)
    context.set_offline(True)
    page.evaluate("tributary('conversion', {value: 5, orderId: 'first'})")
    page.evaluate("for (let n = 0; n < 700; n++) tributary('event', 'x', {n})")
    waiting = sent(page)
    assert 100 < len(waiting) <= 500
    assert waiting[0]["type"] == "CONVERSION"
    assert waiting[-1]["properties"]["n"] == 699


def test_the_next_page_sends_events_that_a_reload_interrupted(world: World) -> None:
    world.page("reload")
    context = world.visitor()
    context.route("**/api/track", lambda route: route.abort())
    context.add_init_script("navigator.sendBeacon = () => false")  # as without a network
    page = opened(context, world.url("reload/a"))
    page.evaluate("tributary('conversion', {value: 1, orderId: 'r'})")
    context.unroute("**/api/track")
    page.goto(world.url("reload/b"))
    rows = world.landed("reload", 3)
    assert [(row["type"], row["path"]) for row in rows] == [
        ("PAGE_VIEW", "/reload/a"),
        ("CONVERSION", "/reload/a"),
        ("PAGE_VIEW", "/reload/b"),
    ]


def test_events_of_a_closed_tab_land_once(world: World) -> None:
    world.page("closed")
    context = world.visitor()
    page = opened(context, world.url("closed/a"))
    world.landed("closed", 1)
    page.evaluate("for (let n = 0; n < 5; n++) tributary('event', 'x', {n})")
    page.close(run_before_unload=True)
    world.landed("closed", 6)  # by the beacon
    opened(context, world.url("closed/b"))  # sends them again, as it cannot know
    rows = world.landed("closed", 7)
    assert sorted(row["properties"]["n"] for row in rows if row["type"] == "CUSTOM") == list(range(5))


def test_events_of_a_crashed_tab_are_adopted_when_its_lease_has_run_out(world: World) -> None:
    world.page("crashed")
    context = world.visitor()
    context.route("**/api/track", lambda route: route.abort())
    page = opened(context, world.url("crashed/a"))
    page.evaluate("tributary('conversion', {value: 1, orderId: 'c'})")
    assert eventually(lambda: len(sent(page)) == 2)
    page.close()  # without a word to the page
    context.unroute("**/api/track")
    later = context.new_page()
    later.clock.install(time=time.time() + 120)
    later.goto(world.url("crashed/b"))
    later.wait_for_function("window.tributary && window.tributary.kit")
    later.clock.run_for(10)
    assert Counter(row["type"] for row in world.landed("crashed", 3)) == {"PAGE_VIEW": 2, "CONVERSION": 1}


def test_retries_after_503_and_after_a_lost_answer_count_once(world: World) -> None:
    world.page("faults")
    context = world.visitor()
    bodies: list[set[str]] = []

    def faulty(route: Route) -> None:
        bodies.append({event["eventId"] for event in json.loads(route.request.post_data or "")["events"]})
        if len(bodies) <= 2:
            headers = {"retry-after": "1", "access-control-allow-origin": "*", "access-control-expose-headers": "*"}
            route.fulfill(status=503, headers=headers, body="{}")
        elif len(bodies) == 3:
            route.fetch()  # processed, but the answer is lost
            route.abort()
        else:
            route.continue_()

    context.route("**/api/track", faulty)
    page = opened(context, world.url("faults/"))
    page.evaluate("tributary('conversion', {value: 7, orderId: 'f'})")
    assert eventually(lambda: not sent(page) and len(bodies) >= 4)
    rows = world.landed("faults", 2)
    assert {row["event_id"] for row in rows} == set.union(*bodies)


def test_a_wait_that_the_collector_asked_for_outlasts_the_page(world: World) -> None:
    world.page("waits")
    context = world.visitor()
    asked: list[str] = []
    headers = {"retry-after": "100", "access-control-allow-origin": "*", "access-control-expose-headers": "*"}

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=429, headers=headers, body="{}")

    context.route("**/api/track", refuse)
    page = opened(context, world.url("waits/a"))
    assert eventually(lambda: page.evaluate("localStorage._tb_wait"))
    page.goto(world.url("waits/b"))
    page.wait_for_function("window.tributary && window.tributary.kit")
    page.evaluate("tributary('conversion', {value: 7, orderId: 'w'})")
    page.wait_for_timeout(300)
    assert len(asked) == 1
    assert len(sent(page)) == 3


def test_a_wait_set_by_a_wrong_clock_is_ignored(world: World) -> None:
    world.page("clock")
    context = world.visitor()
    context.add_init_script("localStorage._tb_wait = Date.now() + 40 * 864e5")
    page = opened(context, world.url("clock/a"))
    world.landed("clock", 1)
    page.close()


@pytest.mark.parametrize("hours", [-30, 2], ids=["slow", "fast"])
def test_events_of_a_device_with_a_wrong_clock_have_the_right_time(world: World, hours: int) -> None:
    world.page(f"clock{hours}")
    page = world.visitor().new_page()
    page.clock.install(time=datetime.now() + timedelta(hours=hours))
    page.goto(world.url(f"clock{hours}/a"))
    page.wait_for_function("window.tributary && window.tributary.kit")
    page.evaluate("tributary('conversion', { value: 9, orderId: 'wrong-clock' })")
    page.clock.run_for(2000)
    rows = world.landed(f"clock{hours}", 2)
    moments = [datetime.fromisoformat(row["occurred_at"]) for row in rows]
    assert all(abs(moment - datetime.now(UTC)) < timedelta(minutes=2) for moment in moments)


def test_a_rejected_batch_is_dropped_and_the_console_shows_why(world: World) -> None:
    world.page("refused", key="pk_wrong")
    page = world.visitor().new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(world.url("refused/"))
    assert eventually(lambda: sent(page) == [] and [text for text in messages if "not accepted" in text])
    assert world.rows("refused") == []


def test_the_console_names_the_settings_that_a_page_of_a_foreign_origin_lacks(world: World) -> None:
    world.page("foreign")
    page = world.visitor().new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(world.url("foreign/", host="copy.example"))
    reason = "not accepted: The site does not have this origin. Add its domain under domains"
    assert eventually(lambda: sent(page) == [] and [text for text in messages if reason in text]), messages
    assert not [text for text in messages if "CORS" in text]
    assert world.rows("foreign") == []


def test_the_console_shows_why_an_event_is_rejected(world: World) -> None:
    world.page("rejected")
    context = world.visitor()
    messages: list[str] = []
    context.on("console", lambda message: messages.append(message.text))
    page = opened(context, world.url("rejected/"))
    page.evaluate("tributary('event', 'NOBODY_DECLARED_IT'); tributary('conversion', {value: NaN})")
    assert eventually(lambda: sent(page) == [] and len([text for text in messages if "not accepted" in text]) == 1)
    assert [row["type"] for row in world.rows("rejected")] == ["PAGE_VIEW"]


def test_blocked_storage_breaks_nothing(world: World) -> None:
    world.page("blocked")
    context = world.visitor()
    context.add_init_script("""
        const refuse = () => { throw new DOMException("blocked", "SecurityError") };
        for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { get: refuse });
        Object.defineProperty(Document.prototype, "cookie", { get: refuse, set: refuse });
    """)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "warning" else None)
    page.goto(world.url("blocked/?utm_source=x"))
    page.wait_for_function("window.tributary && window.tributary.kit")
    page.evaluate("tributary('conversion', {value: 3, orderId: 'b'}); tributary('consent', true)")
    page.evaluate("tributary('event', 'last words')")
    page.goto("about:blank")
    rows = world.landed("blocked", 3)
    assert len({(row["anon_id"], row["session_id"]) for row in rows}) == 1
    assert not errors


def test_two_tabs_are_one_visitor_and_send_each_event_once(world: World) -> None:
    world.page("tabs")
    context = world.visitor()
    posted: Counter[str] = Counter()

    def note(request: Request) -> None:
        if request.method == "POST":
            posted.update(event["eventId"] for event in json.loads(request.post_data or "")["events"])

    one, other = opened(context, world.url("tabs/one")), opened(context, world.url("tabs/other"))
    rows = world.landed("tabs", 2)
    assert len({(row["anon_id"], row["session_id"]) for row in rows}) == 1
    context.on("request", note)
    for tab in (one, other):
        tab.evaluate("for (let n = 0; n < 30; n++) tributary('event', 'x', {n})")
    rows = world.landed("tabs", 62)
    assert eventually(lambda: not sent(one))
    assert len({row["session_id"] for row in rows}) == 1
    assert set(posted.values()) == {1}
    assert len(posted) == 60


def test_a_new_campaign_and_half_an_hour_of_silence_start_sessions(world: World) -> None:
    world.page("sessions")
    context = world.visitor()
    page = context.new_page()
    page.clock.install()
    paths = ["a?utm_campaign=one", "b", "c?gclid=two", "c?gclid=two", "d"]
    for count, path in enumerate(paths, 1):
        page.goto(world.url(f"sessions/{path}"), referer="https://search.example/")
        page.wait_for_function("window.tributary && window.tributary.kit")
        page.clock.run_for(2000)
        world.landed("sessions", count)
    page.clock.run_for(2000)
    page.clock.set_fixed_time(page.evaluate("Date.now()") + 31 * 60_000)
    page.evaluate("tributary('visitor', (who) => { window.who = who })")
    who = page.evaluate("window.who")
    rows = world.rows("sessions")
    sessions = [row["session_id"] for row in rows]
    assert sessions[0] == sessions[1] != sessions[2] == sessions[3] == sessions[4]
    assert who["sessionId"] not in sessions
    assert {row["anon_id"] for row in rows} == {who["anonId"]}
    assert who["firstTouch"]["url"].endswith("one")
    assert who["lastTouch"]["referrer"] == "https://search.example/"


def test_a_campaign_link_on_an_own_page_continues_the_session(world: World) -> None:
    """A banner that links to another page of the shop with UTM parameters is no arrival."""
    world.page("banner")
    page = world.visitor().new_page()
    arrivals = [
        ("a?utm_source=letter&utm_medium=email", "https://mail.example/"),
        ("b?utm_source=home&utm_medium=banner", world.url("banner/a", "www.shop.example")),
        ("c?gclid=two", "https://search.example/"),
        ("d?utm_source=app", ""),
    ]
    for count, (path, referrer) in enumerate(arrivals, 1):
        page.goto(world.url(f"banner/{path}"), referer=referrer)
        page.wait_for_function("window.tributary && window.tributary.kit")
        world.landed("banner", count)
        if count == 2:
            page.evaluate("tributary('visitor', (who) => { window.last = who.lastTouch.url })")
            assert page.evaluate("window.last").endswith("letter&utm_medium=email")
    sessions = [row["session_id"] for row in world.rows("banner")]
    assert sessions[0] == sessions[1]
    assert len(set(sessions)) == 3


def test_nothing_is_stored_before_consent_nor_after_its_withdrawal(world: World) -> None:
    world.page("consent", 'data-consent="required"')
    context = world.visitor()
    page = opened(context, world.url("consent/a?utm_source=x"))
    page.evaluate("tributary('conversion', {value: 9, orderId: 'k', userId: 'u', email: 'ann@example.com'})")
    rows = world.landed("consent", 2)
    nameless = {"anon_id", "session_id", "user_id", "email_hash"}
    assert all(row["consent"] is False and not nameless & row.keys() for row in rows)
    assert page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]

    page.evaluate("tributary('consent', true)")
    (replayed,) = [row for row in world.landed("consent", 3) if row.get("consent")]
    assert (replayed["is_replay"], replayed["type"]) == (True, "PAGE_VIEW")
    assert replayed["url"] == world.url("consent/a?utm_source=x")
    page.goto(world.url("consent/b"))
    assert world.landed("consent", 4)[-1]["anon_id"] == replayed["anon_id"]

    page.evaluate("tributary('event', 'before'); tributary('consent', false); tributary('event', 'after')")
    assert page.evaluate("[document.cookie, localStorage.length]") == ["", 0]
    rows = world.landed("consent", 6)
    assert [nameless & row.keys() != set() for row in rows[-2:]] == [True, False]
    page.goto(world.url("consent/c"))
    assert "anon_id" not in world.landed("consent", 7)[-1]
    assert page.evaluate("[document.cookie, localStorage.length]") == ["", 0]


def test_a_withdrawal_counts_on_another_subdomain_too(world: World) -> None:
    world.page("withdrawn", 'data-consent="required"')
    context = world.visitor()
    page = opened(context, world.url("withdrawn/a", "shop.example"))
    page.evaluate("tributary('consent', true)")
    world.landed("withdrawn", 2)
    page.goto(world.url("withdrawn/b", "www.shop.example"))
    assert world.landed("withdrawn", 3)[-1]["consent"] is True
    page.evaluate("tributary('consent', false)")
    page.goto(world.url("withdrawn/c", "shop.example"))
    assert world.landed("withdrawn", 4)[-1]["consent"] is False


def test_a_refusal_is_stored_where_the_site_does_not_ask_for_consent(world: World) -> None:
    world.page("refusal")
    context = world.visitor()
    page = opened(context, world.url("refusal/a"))
    page.evaluate("tributary('consent', false)")
    world.landed("refusal", 1)
    page.goto(world.url("refusal/b"))
    rows = world.landed("refusal", 2)
    assert [row.get("consent") for row in rows] == [None, False]
    assert page.evaluate(PLAIN) == {"_tb_consent": "0"}
    assert page.evaluate("document.cookie") == "_tb_consent=0"


@pytest.mark.parametrize("signal", ["globalPrivacyControl: true", "doNotTrack: '1'"])
def test_privacy_signals_are_a_refusal_unless_the_site_ignores_them(world: World, signal: str) -> None:
    folder = signal[:2]
    name, value = signal.split(": ")
    world.page(folder)
    context = world.visitor()
    context.add_init_script(f"Object.defineProperty(navigator, '{name}', {{ get: () => {value} }})")
    page = opened(context, world.url(f"{folder}/a"))
    page.evaluate("tributary('consent', true)")
    (row,) = world.landed(folder, 1)
    assert row["consent"] is False
    assert "anon_id" not in row
    assert page.evaluate("[document.cookie, localStorage.length]") == ["", 0]
    world.page(folder, 'data-respect-dnt="false"')
    page.goto(world.url(f"{folder}/b"))
    assert "anon_id" in world.landed(folder, 2)[-1]


def test_cookieless_stores_nothing(world: World) -> None:
    world.page("cookieless", "data-cookieless", key="pk_bare")
    page = opened(world.visitor(), world.url("cookieless/"))
    page.evaluate("tributary('consent', true); tributary('conversion', {value: 9, orderId: 'c'})")
    rows = world.landed("cookieless", 2)
    assert len({row["anon_id"] for row in rows}) == 1  # derived by the collector
    assert page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]


def test_a_visitor_is_handed_over_between_the_domains_of_a_site(world: World) -> None:
    links = "".join(
        f'<a id="{name}" href="{url}">{name}</a> '
        for name, url in {
            "blog": world.url("arrive/b?x=1#part", "blog.example"),
            "partner": world.url("arrive/p", "partner.example"),
        }.items()
    )
    domains = 'data-domains="shop.example,blog.example"'
    world.page("leave", domains, links)
    world.page("arrive", domains)
    context = world.visitor()
    page = opened(context, world.url("leave/a"))
    (start,) = world.landed("leave", 1)
    page.click("#blog")
    (arrived,) = world.landed("arrive", 1)
    assert address(page) == world.url("arrive/b?x=1#part", "blog.example") == arrived["url"]
    assert [arrived[name] for name in ("anon_id", "session_id")] == [start[name] for name in ("anon_id", "session_id")]

    page.goto(world.url("leave/a"))
    page.wait_for_function("window.tributary && window.tributary.kit")
    page.click("#partner")
    assert address(page) == world.url("arrive/p", "partner.example")  # a stranger learns nothing


def test_a_stale_or_malformed_handover_is_ignored(world: World) -> None:
    world.page("handed", 'data-domains="shop.example,blog.example"')
    old, now = int((time.time() - 300) * 1000), int(time.time() * 1000)
    ids = "aaaaaaaa-1111.bbbbbbbb-2222"
    for count, given in enumerate((f"{ids}.{old}", f"<script>.x.{now}", f"{ids}.{now}x", f"{ids}.{now}"), 1):
        page = opened(world.visitor(), world.url(f"handed/{count}?a=1&_tb={given}&b=2", "blog.example"))
        row = world.landed("handed", count)[-1]
        assert address(page) == row["url"] == world.url(f"handed/{count}?a=1&b=2", "blog.example")
        assert (row["anon_id"] == "aaaaaaaa-1111") == (count == 4)


def test_subdomains_share_the_visitor(world: World) -> None:
    world.page("subdomain")
    context = world.visitor()
    for count, host in enumerate(("www.shop.example", "shop.example"), 1):
        opened(context, world.url("subdomain/", host))
        rows = world.landed("subdomain", count)
    assert len({row["session_id"] for row in rows}) == 1


def test_sampling_selects_whole_visitors_and_loses_no_conversion(world: World) -> None:
    buy = "<script>if (/buy/.test(location)) tributary('conversion', {value: 1})</script>"
    world.page("sampled", 'data-sample="50"', buy)
    visitors = [f"{n:08d}-visitor" for n in range(24)]
    stamp = int(time.time() * 1000)
    for anon in visitors:
        context = world.visitor()
        state = f"{anon}.session-{anon}.{base36(stamp)}."
        context.add_cookies([{"name": "_tb", "value": state, "domain": ".shop.example", "path": "/"}])
        page = opened(context, world.url(f"sampled/land?utm_campaign=c&v={anon}"))
        page.goto(world.url(f"sampled/look?v={anon}"))
        page.wait_for_function("window.tributary && window.tributary.kit")
        if anon in visitors[:12]:
            page.goto(world.url(f"sampled/buy?v={anon}"))
            page.wait_for_function("window.tributary && window.tributary.kit")
        assert eventually(lambda page=page: not sent(page))
        context.close()
    seen: dict[str, list[dict]] = {anon: [] for anon in visitors}
    for row in world.rows("sampled"):
        assert row["sample_percent"] == 50
        seen[row["anon_id"]].append(row)
    inside = [anon for anon, rows in seen.items() if any(row["path"] == "/sampled/look" for row in rows)]
    assert 6 <= len(inside) <= 18
    for anon, rows in seen.items():
        counts = Counter((row["type"], row["path"], row.get("is_replay", False)) for row in rows)
        expected = Counter()
        if anon in inside:
            expected += Counter([("PAGE_VIEW", "/sampled/land", False), ("PAGE_VIEW", "/sampled/look", False)])
        if anon in visitors[:12]:
            expected[("CONVERSION", "/sampled/buy", False)] = 1
            page = ("/sampled/buy", False) if anon in inside else ("/sampled/land", True)
            expected["PAGE_VIEW", *page] = 1
        assert counts == expected, anon
        assert len({row["session_id"] for row in rows}) <= 1


def base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return (base36(number // 36) if number >= 36 else "") + digits[number % 36]


def test_automatic_captures_send_their_events(world: World) -> None:
    world.page(
        "auto",
        'data-auto="outbound,forms,scroll,video,rage"',
        """<a id="out" href="https://partner.invalid/offer?secret=1" target="_blank">partner</a>
        <a id="own" href="#here">own</a>
        <a id="file" href="/auto/prices.pdf?token=2">prices</a>
        <form id="lead" action="/auto/thanks?x=1" onsubmit="return false">
          <input name="id" value="hidden-name"><input name="action" value="typed-secret"><button>send</button></form>
        <div id="dead" style="width: 200px; height: 200px"></div>
        <video id="clip" src="/auto/clip.wav?t=1"></video><div style="height: 5000px"></div>
        <script>document.querySelector('#file').onclick = (click) => click.preventDefault()</script>""",
    )
    context = world.visitor()
    context.route("https://partner.invalid/**", lambda route: route.abort())
    page = opened(context, world.url("auto/"))
    page.wait_for_function("performance.getEntriesByType('resource').some(({ name }) => name.endsWith('auto.js'))")
    page.wait_for_timeout(200)
    for target in ("#own", "#out", "#file", "#lead button"):
        page.click(target)
    page.click("#dead", click_count=4, delay=5)
    page.evaluate("document.querySelector('#clip').play()")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    rows = [row for row in world.landed("auto", 15) if row["type"] != "PAGE_VIEW"]
    assert Counter(row["type"] for row in rows) == {
        "OUTBOUND_CLICK": 1,
        "FILE_DOWNLOAD": 1,
        "FORM_SUBMIT": 1,
        "RAGE_CLICK": 1,
        "SCROLL_DEPTH": 5,
        "VIDEO": 5,
    }
    properties = {row["type"]: row["properties"] for row in rows}
    assert all(0 < row["properties"]["confidence"] <= 1 for row in rows)
    assert properties["OUTBOUND_CLICK"]["href"] == "https://partner.invalid/offer"
    assert properties["FILE_DOWNLOAD"]["href"] == world.url("auto/prices.pdf")
    assert properties["FORM_SUBMIT"]["form"] == {"id": "lead", "action": world.url("auto/thanks")}
    assert properties["RAGE_CLICK"]["target"] == "div#dead"
    assert properties["VIDEO"]["src"] == world.url("auto/clip.wav")
    for kind, percents in (("SCROLL_DEPTH", {25, 50, 75, 90, 100}), ("VIDEO", {0, 25, 50, 75, 100})):
        assert {row["properties"]["percent"] for row in rows if row["type"] == kind} == percents
    assert "secret" not in json.dumps(rows)


def test_a_second_tag_counts_nothing(world: World) -> None:
    world.page("twice")
    world.pages["twice"] += f'<script async src="{world.collector}/t.js" data-key="pk_test"></script>'
    context = world.visitor()
    page = opened(context, world.url("twice/"))
    page.wait_for_load_state("load")
    page.evaluate("tributary('event', 'last')")
    assert Counter(row["type"] for row in world.landed("twice", 2)) == {"PAGE_VIEW": 1, "CUSTOM": 1}


def test_the_demo_page_shows_accepted_events(world: World) -> None:
    page = world.visitor().new_page()
    page.goto(f"{world.collector}/demo")
    page.wait_for_function("window.tributary && window.tributary.kit")
    page.click("#order")
    page.wait_for_selector("summary:has-text('CONVERSION') span.accepted")
    rows = [row for row in world.all_rows() if row.get("path") == "/demo"]
    assert Counter(row["type"] for row in rows) == {"PAGE_VIEW": 1, "CONVERSION": 1}
    assert page.inner_text("#visitor") == rows[0]["anon_id"]


def test_each_clicked_event_is_in_the_warehouse_once(world: World, tmp_path: Path, monkeypatch) -> None:
    world.page("warehouse")
    page = opened(world.visitor(), world.url("warehouse/"))
    page.evaluate("tributary('conversion', {value: '19.99', currency: 'EUR', orderId: 'w'})")
    world.landed("warehouse", 2)
    # A copy, as segments that are still open belong to the collector. All that other tests clicked is loaded, too.
    shutil.copytree(world.home, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path))
    home = Home.from_environment()
    with build_lock(home, "a test"), closing(connect(home)) as connection:
        load_landing(connection, home, load_settings(home))
        loaded = connection.execute("select event_id from raw.events").fetchall()
        clicked = connection.execute("""
            select type, value_micros, order_id, anon_id is not null from raw.events
            where path = '/warehouse/' order by occurred_at, type desc
        """).fetchall()
    assert clicked == [("PAGE_VIEW", None, None, True), ("CONVERSION", 19_990_000, "w", True)]
    assert sorted(identifier for (identifier,) in loaded) == sorted({row["event_id"] for row in world.all_rows()})
