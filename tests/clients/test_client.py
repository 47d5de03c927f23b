"""The server-side client against a collector that fails in every way, over real connections."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from tributary_client import delivery
from tributary_client.client import AsyncClient, Client, Problem
from tributary_client.events import Events

from ingestion.event_types import BUILT_IN
from tests.support.collector import collecting, receipts

KEY = "server-secret"
HELPERS = sorted(name for name in vars(Events) if not name.startswith("_") and name not in ("send", "track"))


class Collector(ThreadingHTTPServer):
    """Answer requests as the collector does, or as `script` demands."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Callable[[Handler], None]] = []
        self.taken: list[dict[str, Any]] = []  # every event of every request that was processed
        self.sizes: list[int] = []
        self.headers: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def ids(self) -> set[str]:
        return {event["eventId"] for event in self.taken}


class Handler(BaseHTTPRequestHandler):
    server: Collector
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers["Content-Length"]))
        self.events = json.loads(gzip.decompress(self.body))["events"]
        self.server.headers.append(self.headers)
        (self.server.script.pop(0) if self.server.script else take)(self)

    def answer(self, status: int, reply: dict, **headers: str) -> None:
        body = json.dumps(reply).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def take(handler: Handler, errors: tuple[dict, ...] = ()) -> None:
    keep(handler)
    handler.answer(202, {"received": len(handler.events), "errors": list(errors)})


def keep(handler: Handler) -> None:
    handler.server.taken += handler.events
    handler.server.sizes.append(len(handler.events))


def lose_answer(handler: Handler) -> None:
    """Processed, but the connection breaks before the answer."""
    keep(handler)
    handler.close_connection = True


def hang_up(handler: Handler) -> None:
    handler.close_connection = True


def refuse(status: int, **headers: str) -> Callable[[Handler], None]:
    return lambda handler: handler.answer(status, {"status": status, "detail": "as scripted"}, **headers)


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_BACKOFF", 0.01)


def use(kind: type, collector: Collector, work: Callable[[Any], object], deadline: float = 60, **options: Any) -> int:
    """Open a client, work with it and close it. Returns how many events were not delivered."""
    if kind is Client:
        client = Client(collector.url, "pk_1", KEY, **options)
        work(client)
        return client.close(deadline)

    async def main() -> int:
        client = AsyncClient(collector.url, "pk_1", KEY, **options)
        work(client)
        return await client.close(deadline)

    return asyncio.run(main())


both = pytest.mark.parametrize("kind", [Client, AsyncClient])


@both
def test_each_event_counts_once_after_every_kind_of_fault(kind, collector):
    collector.script = [
        refuse(429, Retry_After="0"),
        hang_up,
        refuse(503, Retry_After="0"),
        lose_answer,
        lose_answer,
        refuse(500),
        take,
        refuse(502),
        lose_answer,
    ]
    ids: list[str] = []
    left = use(kind, collector, lambda client: ids.extend(client.page_view(f"https://x.org/{n}") for n in range(250)))
    assert left == 0
    assert set(ids) == collector.ids()
    assert len(ids) == 250
    assert len(collector.taken) > 250, "the lost answers were not repeated: the script was not followed"
    assert max(collector.sizes) == 100
    # A repeated event is the same to the byte, or the collector would call it another event with the same id.
    assert len({json.dumps(event) for event in collector.taken}) == 250


def test_the_client_waits_as_long_as_retry_after_asks(collector):
    times = []
    collector.script = [
        lambda handler: (times.append(datetime.now(UTC)), refuse(429, Retry_After="1")(handler)),
        lambda handler: (times.append(datetime.now(UTC)), take(handler)),
    ]
    with Client(collector.url, "pk_1", KEY) as client:
        for n in range(100):  # a full batch leaves by itself: a flush would cut the wait short
            client.search(str(n))
        while not collector.taken:
            threading.Event().wait(0.05)
    assert times[1] - times[0] >= timedelta(seconds=1)


@both
def test_rejected_events_are_reported(kind, collector, caplog):
    caplog.set_level(logging.DEBUG)
    error = {"index": 1, "field": "value", "layer": "business", "reason": "bad_value", "detail": "too much"}
    collector.script = [lambda handler: take(handler, (error,))]
    problems: list[Problem] = []

    def work(client):
        client.sign_up("user-1", email="ann@example.com")
        client.conversion(value="1e9", email="bob@example.com")

    assert use(kind, collector, work, on_error=problems.append) == 0
    assert [(p.reason, p.layer, p.field, p.event["value"]) for p in problems] == [
        ("bad_value", "business", "value", "1000000000")
    ]
    assert "bad_value" in caplog.text
    assert "example.com" not in caplog.text
    assert KEY not in caplog.text


def test_an_unreadable_event_does_not_block_others(collector):
    def picky(handler: Handler) -> None:
        collector.script.append(picky)
        (refuse(400) if any(e["type"] == "POISON" for e in handler.events) else take)(handler)

    collector.script = [picky]
    problems: list[Problem] = []
    client = Client(collector.url, "pk_1", KEY, on_error=problems.append)
    ids = {client.search(str(n)) for n in range(30)}
    client.track("POISON")
    ids |= {client.search(str(n)) for n in range(30)}
    assert client.close() == 1
    assert collector.ids() == ids
    assert [(p.event["type"], p.reason) for p in problems] == [("POISON", "http_400")]


@both
def test_a_request_with_a_wrong_key_is_not_retried(kind, collector, caplog):
    collector.script = [refuse(401)] * 2
    problems: list[Problem] = []
    assert use(kind, collector, lambda client: client.login("user-1"), on_error=problems.append) == 1
    assert [problem.reason for problem in problems] == ["http_401"]
    assert len(collector.headers) == 1
    assert "http_401" in caplog.text


def test_an_answer_that_is_not_a_collectors_is_a_problem(collector):
    for status, reply in ((200, {"hello": "world"}), (202, {"errors": [{"message": "who are you?"}]})):
        collector.script = [lambda handler, status=status, reply=reply: handler.answer(status, reply)]
        problems: list[Problem] = []
        assert use(Client, collector, lambda client: client.login("user-1"), on_error=problems.append, deadline=10) == 1
        assert [problem.reason for problem in problems] == [f"http_{status}"]


def test_the_next_loop_delivers_events_of_the_last(collector):
    client = AsyncClient(collector.url, "pk_1", KEY)

    async def visit() -> None:
        client.login("user-1", event_id="")

    asyncio.run(visit())
    assert asyncio.run(client.flush()) == 0
    assert asyncio.run(client.close()) == 0
    assert [event["userId"] for event in collector.taken] == ["user-1"]
    assert collector.taken[0]["eventId"]


@both
def test_events_of_an_outage_are_delivered_or_reported(kind, collector, caplog):
    """Without a collector tracking continues, events beyond the queue are reported, and close reports lost events."""
    collector.shutdown()
    collector.server_close()
    problems: list[Problem] = []

    def work(client):
        for n in range(15):
            client.search(str(n))

    undelivered = use(kind, collector, work, on_error=problems.append, max_queue=10, deadline=0.5)
    assert undelivered == 15
    assert [(p.reason, p.event["properties"]["query"]) for p in problems] == [
        ("queue_full", str(n)) for n in range(10, 15)
    ]
    assert "15 events were not delivered" in caplog.text


@both
def test_the_real_collector_counts_a_repeated_event_once(kind, collector, tmp_path):
    """Through a proxy that loses every other answer, to the collector, into its segments."""
    settings = """
orgs: [{id: default, currency: EUR}]
sites: [{id: web-shop, org: default, public_key: pk_1, domains: [x.org]}]
"""
    with collecting(tmp_path / "home", settings, TRIBUTARY_SERVER_KEY_WEB_SHOP=KEY) as real:

        def forward(handler: Handler) -> None:
            answer = httpx.post(f"{real.url}/api/track", content=handler.body, headers=dict(handler.headers.items()))
            handler.answer(answer.status_code, answer.json())

        def forward_and_lose(handler: Handler) -> None:
            httpx.post(f"{real.url}/api/track", content=handler.body, headers=dict(handler.headers.items()))
            hang_up(handler)

        collector.script = [forward_and_lose, forward] * 20
        ids: list[str] = []
        problems: list[Problem] = []

        def work(client):
            for n in range(250):
                ids.append(client.page_view(f"https://x.org/{n}", anon_id=f"v{n}"))
            ids.append(client.refund("o-1", value=Decimal("19.90"), currency="EUR"))
            client.conversion(value=Decimal("1e12"), user_id="u-1")
            client.track("NO_SUCH_TYPE", user_id="u-1")

        assert use(kind, collector, work, on_error=problems.append) == 0
        assert [(p.event["type"], p.layer, p.reason) for p in problems] == [
            ("CONVERSION", "business", "bad_value"),
            ("NO_SUCH_TYPE", "business", "unknown_type"),
        ]
        real.stop()
        landed = receipts(real.home)
    rows = [row for receipt in landed for row in receipt.get("rows", [])]
    assert sorted(row["event_id"] for row in rows) == sorted(ids)
    assert next(row for row in rows if row["type"] == "REFUND")["value_micros"] == 19_900_000
    # The address and the user agent would be the server's, not the visitor's.
    assert not any(receipt.get("ua") or receipt.get("ip") for receipt in landed)


AT_EXIT = {
    "sync": "client = Client(url, 'pk_1'); client.login('user-1'); client.login('user-2')",
    "async": "import asyncio\nclient = AsyncClient(url, 'pk_1')\n"
    "async def main():\n    client.login('user-1'); client.login('user-2')\nasyncio.run(main())",
    # The child has only its events, not those of its parent, or one would be sent twice.
    "fork": "client = Client(url, 'pk_1'); client.login('user-1')\n"
    "import os\nif os.fork() == 0:\n    client.login('user-2')\nelse:\n    os.wait()",
}


@pytest.mark.parametrize("program", AT_EXIT)
def test_the_client_flushes_at_exit(program, collector):
    script = f"from tributary_client.client import AsyncClient, Client\nurl = {collector.url!r}\n{AT_EXIT[program]}"
    subprocess.run([sys.executable, "-c", script], env={**os.environ, "TRIBUTARY_SERVER_KEY": KEY}, check=True)
    assert sorted(event["userId"] for event in collector.taken) == ["user-1", "user-2"]
    assert {headers["Authorization"] for headers in collector.headers} == {f"Bearer {KEY}"}


def test_requests_have_the_documented_form(collector):
    with Client(collector.url, "pk_1", KEY) as client:
        event_id = client.conversion(
            "lead",
            value=Decimal("19.90"),
            currency="EUR",
            order_id="o-1",
            anon_id="v",
            session_id="s",
            user_id="u",
            email="a@b.org",
            phone="+44",
            url="https://x.org/?q=ü",
            referrer="https://y.org",
            title="T",
            path="/",
            timestamp=datetime(2026, 7, 1, 11, 30, tzinfo=timezone(timedelta(hours=2))),
            consent=True,
            entity_type="asset",
            entity_id="a-1",
            properties={"price": Decimal("0.10"), "tags": ["x"]},
        )
        client.asset_view("a-2", user_id=None)
    assert collector.taken[0] == {
        "type": "CONVERSION",
        "eventId": event_id,
        "timestamp": "2026-07-01T09:30:00.000000Z",
        "value": "19.90",
        "currency": "EUR",
        "orderId": "o-1",
        "anonId": "v",
        "sessionId": "s",
        "userId": "u",
        "email": "a@b.org",
        "phone": "+44",
        "url": "https://x.org/?q=ü",
        "referrer": "https://y.org",
        "title": "T",
        "path": "/",
        "consent": True,
        "entityType": "asset",
        "entityId": "a-1",
        "conversionType": "lead",
        "properties": {"price": "0.10", "tags": ["x"]},
    }
    assert set(collector.taken[1]) == {"type", "eventId", "timestamp", "entityType", "entityId"}


def test_helpers_send_types_that_the_collector_knows(collector):
    with Client(collector.url, "pk_1", KEY) as client:
        for name in HELPERS:
            getattr(client, name)("subject")
    assert len(HELPERS) == 18
    assert {event["type"] for event in collector.taken} <= set(BUILT_IN)
    assert len({event["type"] for event in collector.taken}) == len(HELPERS)


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ({"value": 19.9}, "float"),
        ({"value": "19,90"}, "not an amount"),
        ({"value": Decimal("nan")}, "not an amount"),
        ({"value": "1e999999999"}, "not an amount"),
        ({"value": True}, "bool"),
        ({"timestamp": datetime(2026, 7, 1)}, "time zone"),
        ({"user_id": 7}, "user_id=str"),
        ({"colour": "red"}, "properties"),
        ({"properties": {"x": float("nan")}}, "JSON"),
        ({"properties": {"x": object()}}, "JSON"),
        ({"title": "\ud800"}, "surrogates"),  # would make the whole batch unreadable
    ],
)
def test_a_wrong_detail_raises_in_the_callers_code(details, message, collector):
    with Client(collector.url, "pk_1", KEY) as client, pytest.raises((TypeError, ValueError), match=message):
        client.track("CUSTOM", **details)
    assert collector.taken == []


def test_a_client_needs_a_server_key(monkeypatch):
    monkeypatch.delenv("TRIBUTARY_SERVER_KEY", raising=False)
    with pytest.raises(ValueError, match="TRIBUTARY_SERVER_KEY"):
        Client("https://collect.example.com", "pk_1")
