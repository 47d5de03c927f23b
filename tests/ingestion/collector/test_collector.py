"""The collector as a real process: its answers, the rows it stores, and the personal data it never writes."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import zstandard

from ingestion.segments.format import is_whole
from ingestion.segments.writer import closed_segments
from tests.support.home import COMMAND

ORIGIN = "https://shop.example.com"
PLAIN = {"content-type": "text/plain"}
ADMIN = {"authorization": "Bearer admin_secret"}
SETTINGS = """\
orgs:
  - {id: default, currency: USD}
sites:
  - {id: shop, org: default, public_key: pk_shop, domains: [example.com], events_per_minute: 100000000}
  - {id: other, org: default, public_key: pk_other, domains: [other.example]}
  - {id: small, org: default, public_key: pk_small, domains: [example.com],
     events_per_minute: 100, address_events_per_minute: 100}
  - {id: quiet, org: default, public_key: pk_quiet, domains: [example.com], cookieless: true}
event_types:
  - type: DEMO_BOOKED
    properties: {plan: {type: string, required: true, one_of: [basic, pro]}, seats: {type: integer}}
"""
SECRETS = {"TRIBUTARY_SERVER_KEY_SHOP": "sk_secret", "TRIBUTARY_ADMIN_KEY": "admin_secret"}


class Service:
    """A running collector: its process, its home and a client."""

    def __init__(self, process: subprocess.Popen, home: Path, port: int) -> None:
        self.process, self.home, self.port = process, home, port
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"origin": ORIGIN}, timeout=30)

    def send(self, *events: dict, key: str = "pk_shop", **options: object) -> httpx.Response:
        return self.client.post("/api/track", json={"publicKey": key, "events": events}, **options)

    def metric(self, name: str, **labels: str) -> float:
        text = self.client.get("/metrics").text
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        lines = [line for line in text.splitlines() if re.match(rf"tributary_{name}(\{{| )", line)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if all(part in line for part in wanted))

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def receipts(self) -> list[dict]:
        return receipts(self.home)


def receipts(home: Path) -> list[dict]:
    lines = [line for path in closed_segments(home / "landing") for line in path.read_bytes().splitlines(keepends=True)]
    assert all(map(is_whole, lines))
    return [json.loads(line) for line in lines]


def rows(found: list[dict]) -> list[dict]:
    return [row for receipt in found if receipt["kind"] == "events" for row in receipt.get("rows", [])]


@contextmanager
def collecting(home: Path, *options: object, settings: str = SETTINGS, **popen: object) -> Iterator[Service]:
    if not (home / "tributary.yaml").exists():
        (home / "tributary.yaml").write_text(settings)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    environment = {**os.environ, **SECRETS, "TRIBUTARY_HOME": str(home), **popen.pop("env", {})}
    log = (home / "collector.log").open("ab")
    process = subprocess.Popen(
        [COMMAND, "collect", "--port", str(port), *map(str, options)],
        env=environment,
        stdout=log,
        stderr=log,
        **popen,
    )
    service = Service(process, home, port)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                if service.client.get("/healthz").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            assert process.poll() is None, (home / "collector.log").read_text()
            assert time.monotonic() < deadline, (home / "collector.log").read_text()
            time.sleep(0.05)
        yield service
    finally:
        service.client.close()
        if process.poll() is None:
            process.kill()
        process.wait()
        log.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> Iterator[Service]:
    with collecting(tmp_path_factory.mktemp("home"), "--segment-seconds", 3600) as running:
        yield running


def page(n: object, **members: object) -> dict:
    return {"eventId": f"e-{n}", "type": "PAGE_VIEW", "anonId": f"a-{n}", "url": f"{ORIGIN}/p/{n}", **members}


def stamp(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


def test_an_event_lands_with_the_columns_of_the_raw_table(tmp_path):
    event = {
        "publicKey": "pk_shop",
        "eventId": "one",
        "type": "conversion",
        "anonId": "a",
        "sessionId": "s",
        "userId": "u",
        "url": f"{ORIGIN}/thanks",
        "path": "/thanks",
        "title": "Thanks",
        "referrer": "https://www.google.com/",
        "timestamp": stamp(hours=1).replace("+00:00", "Z"),
        "value": 19.99,
        "currency": "eur",
        "orderId": "o-1",
        "conversionType": "purchase",
        "email": " Jo@Example.com ",
        "phone": "+49 (30) 123",
        "entityType": "asset",
        "entityId": "x",
        "source": "google",
        "medium": "cpc",
        "campaign": "harvest",
        "campaignId": 77,
        "content": "blue",
        "term": "kettle",
        "clickIds": "gclid=Zx9",
        "channel": "Paid Search",
        "consent": True,
        "samplePercent": 50,
        "isReplay": False,
        "properties": {"plan": "pro"},
    }
    with collecting(tmp_path) as service:
        answer = service.client.post("/api/track", json=event)
        assert (answer.status_code, answer.json()) == (
            202,
            {"received": 1, "accepted": 1, "duplicate": 0, "rejected": 0, "errors": []},
        )
        assert service.stop() == 0
    (receipt,) = receipts(tmp_path)
    (row,) = receipt["rows"]
    assert row == {
        "event_id": "one",
        "type": "CONVERSION",
        "anon_id": "a",
        "session_id": "s",
        "user_id": "u",
        "url": f"{ORIGIN}/thanks",
        "path": "/thanks",
        "title": "Thanks",
        "referrer": "https://www.google.com/",
        "occurred_at": event["timestamp"],
        "value_micros": 19_990_000,
        "currency": "EUR",
        "order_id": "o-1",
        "conversion_type": "purchase",
        "entity_type": "asset",
        "entity_id": "x",
        "source": "google",
        "medium": "cpc",
        "campaign": "harvest",
        "campaign_id": "77",
        "content": "blue",
        "term": "kettle",
        "click_ids": "gclid=Zx9",
        "channel": "Paid Search",
        "consent": True,
        "sample_percent": 50,
        "is_replay": False,
        "properties": {"plan": "pro"},
        "email_hash": sha256("jo@example.com"),
        "phone_hash": sha256("+4930123"),
    }
    assert (receipt["org"], receipt["site"], receipt["received"]) == ("default", "shop", 1)
    assert receipt["ua"].startswith("python-httpx")
    assert len(receipt["ip"]) == 32


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_each_layer_rejects_single_events_and_stores_them_as_failed(service):
    cases = [
        (page("l0"), None),
        (page("l1", url=5), ("schema", "wrong_type", "url")),
        (page("l2", anonId=None), ("schema", "missing_person", "anonId")),
        (page("l3", timestamp="yesterday"), ("schema", "wrong_type", "timestamp")),
        (page("l4", timestamp="2026-01-01T00:00:00"), ("schema", "wrong_type", "timestamp")),
        (page("l5", type="NO_SUCH"), ("business", "unknown_type", "type")),
        (page("l6", timestamp=stamp(minutes=-6)), ("business", "future_timestamp", "timestamp")),
        (page("l7", timestamp=stamp(minutes=-4)), None),
        (page("l8", timestamp=stamp(days=31)), ("business", "too_old", "timestamp")),
        (page("l9", timestamp=int(time.time() * 1000)), None),
        (page("l10", value="NaN"), ("business", "bad_value", "value")),
        (page("l11", value=1e300), ("business", "bad_value", "value")),
        (page("l12", value=1, currency="EURO"), ("business", "bad_currency", "currency")),
        (page("l13", entityType="asset"), ("reference", "incomplete_entity", "entityId")),
        (page("l14", publicKey="pk_other"), ("reference", "other_site", "publicKey")),
        (page("l15", type="DEMO_BOOKED"), ("properties", "missing_property", "properties.plan")),
        (page("l16", type="DEMO_BOOKED", properties={"plan": "gold"}),
         ("properties", "bad_property", "properties.plan")),
        (page("l17", type="DEMO_BOOKED", properties={"plan": "pro", "seats": True}),
         ("properties", "bad_property", "properties.seats")),
        (page("l18", type="DEMO_BOOKED", properties={"plan": "pro", "seats": 3}), None),
        ("no object", ("schema", "wrong_type", None)),
    ]  # fmt: skip
    answer = service.send(*(event for event, _ in cases)).json()
    found = {error["index"]: (error["layer"], error["reason"], error["field"]) for error in answer["errors"]}
    assert found == {index: expected for index, (_, expected) in enumerate(cases) if expected}
    assert answer["received"] == len(cases) == answer["accepted"] + answer["rejected"]
    service.client.post("/admin/flush", headers=ADMIN)
    (receipt,) = [r for r in service.receipts() if any(row["event_id"] == "e-l0" for row in r.get("rows", []))]
    assert [(f["layer"], f["reason"]) for f in receipt["failed"]] == [expected[:2] for _, expected in cases if expected]
    assert receipt["received"] == len(receipt["rows"]) + len(receipt["failed"])


def test_a_rejected_event_is_valid_again_after_a_change_of_settings(service):
    from ingestion.collector.rejected import revalidate
    from ingestion.segments.format import Failed
    from ingestion.settings.model import EventType, Org, Settings, Site

    event = page("again", type="WEBINAR", email="jo@example.com", timestamp=stamp(days=29), properties={"a": [1]})
    answer = service.send(event, page("again2", type="WEBINAR") | {"eventId": None}).json()
    assert answer["rejected"] == 2
    service.client.post("/admin/flush", headers=ADMIN)
    failed = [f for r in service.receipts() for f in r.get("failed", []) if "WEBINAR" in f["payload"]]
    site = Site("shop", "default", "pk_shop", ["example.com"])
    before = Settings([Org("default", "USD")], [site])
    after = Settings([Org("default", "USD")], [site], event_types=[EventType("WEBINAR")])
    much_later = datetime.now(UTC) + timedelta(days=300)
    for kept in failed:
        payload = kept["payload"].encode()
        again = revalidate(payload, site, before, much_later)
        assert isinstance(again, Failed)
        assert again.reason == "unknown_type"
    first, second = (revalidate(f["payload"].encode(), site, after, much_later) for f in failed)
    assert (first["event_id"], first["type"], first["anon_id"]) == ("e-again", "WEBINAR", "a-again")
    assert first["email_hash"] == sha256("jo@example.com")
    assert (first["properties"], first["has_own_id"]) == ({"a": [1]}, True)
    assert second["event_id"]
    assert second["has_own_id"] is False
    assert second == revalidate(failed[1]["payload"].encode(), site, after, much_later)


def test_a_duplicate_is_counted_and_other_content_with_the_same_id_is_stored(service):
    event = page("twice")
    assert service.send(event, event).json() | {"errors": 0} == {
        "received": 2,
        "accepted": 1,
        "duplicate": 1,
        "rejected": 0,
        "errors": 0,
    }
    assert service.send(event).json()["duplicate"] == 1
    assert service.send(event | {"title": "another"}).json()["accepted"] == 1
    assert service.send(event, key="pk_small").json()["accepted"] == 1  # another site's id is another id
    assert service.send(*[{"type": "PAGE_VIEW", "anonId": "a"}] * 2).json()["accepted"] == 2  # no id: found later


def test_a_page_of_the_site_or_a_server_with_its_key_may_send(service):
    def status(headers: dict[str, str], key: str | None = "pk_shop") -> int:
        body = json.dumps({"publicKey": key, **page("who")})
        with httpx.Client(base_url=service.client.base_url) as client:
            return client.post("/api/track", content=body, headers=PLAIN | headers).status_code

    assert status({"origin": "https://example.com"}) == 202
    assert status({"origin": "http://deep.shop.example.com"}) == 202
    assert status({"origin": ORIGIN}, "pk_wrong") == 401
    assert status({"origin": ORIGIN}, None) == 401
    for origin in ("https://example.com.evil.io", "https://evilexample.com", "https://example.com:8443", "null", "x"):
        assert status({"origin": origin}) == 403, origin
    assert status({"origin": ORIGIN}, "pk_other") == 403
    assert status({}) == 403
    assert status({"authorization": "Bearer wrong"}) == 403
    assert status({"authorization": "Bearer sk_secret"}) == 202
    assert status({"authorization": "Bearer sk_secret"}, "pk_other") == 403  # a key is one site's


def test_preflights_and_problems_have_cors_headers(service):
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    answer = service.client.options("/api/track", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "content-type" in answer.headers["access-control-allow-headers"]
    refused = service.client.post("/api/track", content=b"{", headers=PLAIN)
    assert refused.status_code == 400
    assert refused.headers["access-control-allow-origin"] == "*"  # a page can read why
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json().keys() == {"type", "title", "status", "detail"}


def test_bodies_may_be_compressed_and_have_at_most_a_mebibyte(service):
    def post(body: bytes, encoding: str | None = None, **headers: str) -> int:
        headers = {"content-type": "application/json"} | headers
        if encoding:
            headers["content-encoding"] = encoding
        return service.client.post("/api/track", content=body, headers=headers).status_code

    body = json.dumps({"publicKey": "pk_shop", "events": [page(f"packed{n}") for n in range(100)]}).encode()
    assert post(gzip.compress(body), "gzip") == 202
    assert post(zstandard.compress(body), "zstd") == 202
    assert post(gzip.compress(body)[:-9], "gzip") == 400
    assert post(body, "gzip") == 400
    assert post(zstandard.compress(body)[:-9], "zstd") == 400
    assert post(body, "br") == 415
    assert post(body, **{"content-type": "application/x-www-form-urlencoded"}) == 415
    bomb = b'{"publicKey": "pk_shop", "title": "' + b"x" * (300 << 20)
    assert post(gzip.compress(bomb, 1), "gzip") == 413
    assert post(zstandard.compress(bomb), "zstd") == 413
    assert post(b" " * ((1 << 20) + 1)) == 413
    parts = (b" " * 65536 for _ in range(17))  # chunked: no length is known beforehand
    with suppress(httpx.TransportError):  # closed before all of it was read
        assert service.client.post("/api/track", content=parts, headers=PLAIN).status_code == 413
    with Path(f"/proc/{service.process.pid}/status").open() as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    assert peak < 400_000  # KiB


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b'{"publicKey": 5}',
        b'{"publicKey":"pk_shop","events":[]}',
        b'{"publicKey":"pk_shop","events":{}}',
        b'{"publicKey":"pk_shop","type":"\xff"}',
        b"[" * 100_000,
        b'{"publicKey":"pk_shop","properties":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}",
        json.dumps({"publicKey": "pk_shop", "events": [page(n) for n in range(101)]}).encode(),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_malformed_request_gets_a_problem_with_a_detail(service, body):
    answer = service.client.post("/api/track", content=body, headers=PLAIN)
    assert answer.status_code in (400, 401)
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("members", "accepted"),
    [
        (b'"title":"cut \\ud83d"', 1),  # half an emoji, as JSON.stringify writes it
        (b'"title":"cut \\ud83d","type":5', 0),
        (b'"properties":{"n":1e400}', 0),
        (b'"properties":{"n":' + b"9" * 400 + b"}", 1),
        (b'"title":"a\\u0000b","anonId":"a\\u0000b"', 1),
        (b'"properties":' + b'{"a":' * 40 + b"1" + b"}" * 40, 0),
        (b'"properties":' + b'{"a":' * 20 + b"1" + b"}" * 20, 1),
        (b'"title":"one","title":"two\\n"', 1),
    ],
    ids=range(8),
)
def test_unusual_json_is_stored_or_rejected_and_its_line_is_whole(service, members, accepted):
    event = b'{"type":"PAGE_VIEW","anonId":"odd",' + members + b"}"
    body = b'{"publicKey":"pk_shop","events":[' + event + b"]}"
    answer = service.client.post("/api/track", content=body, headers=PLAIN)
    assert (answer.status_code, answer.json()["accepted"]) == (202, accepted)
    service.client.post("/admin/flush", headers=ADMIN)
    assert "\0" not in json.dumps(service.receipts())


def test_the_rate_limit_applies_and_receipts_count_limited_events(tmp_path):
    with collecting(tmp_path) as service:
        sent = [service.send(*(page(f"{i}-{n}") for n in range(40)), key="pk_small") for i in range(5)]
        statuses = Counter(answer.status_code for answer in sent)
        assert statuses == {202: 2, 429: 3}
        refused = next(answer for answer in sent if answer.status_code == 429)
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert service.send(page("free")).status_code == 202  # another site
        counts = {name: service.metric(f"events_{name}_total") for name in ("received", "accepted", "limited")}
        assert counts == {"received": 201, "accepted": 81, "limited": 120}
        assert service.stop() == 0
    found = receipts(tmp_path)
    assert sum(r.get("limited", 0) for r in found) == 120
    assert sum(r["received"] for r in found) == 201


def test_an_event_without_consent_stores_no_id_of_a_person(service):
    url = f"{ORIGIN}/thanks?gclid=G1&utm_source=news&ref=jo#frag"
    members = {"consent": False, "sessionId": "s", "userId": "u", "email": "jo@example.com", "referrer": url}
    service.send(page("nobody", orderId="o-9", url=url, path="/thanks?gclid=G1", **members))
    service.send(page("nobody2", type="NO_SUCH", url=url, **members))
    service.send(page("nobody3", **members | {"consent": "false"}))
    service.client.post("/admin/flush", headers=ADMIN)
    accepted = next(r for r in service.receipts() if '"e-nobody"' in json.dumps(r))
    refused = next(r for r in service.receipts() if "e-nobody2" in json.dumps(r))
    in_words = next(r for r in service.receipts() if "e-nobody3" in json.dumps(r))
    clean = f"{ORIGIN}/thanks?utm_source=news"
    assert accepted["rows"] == [
        {
            "event_id": "e-nobody",
            "type": "PAGE_VIEW",
            "url": clean,
            "path": "/thanks",
            "referrer": clean,
            "order_id": "o-9",
            "consent": False,
        }
    ]
    assert "ip" not in accepted
    kept = json.loads(refused["failed"][0]["payload"])
    assert kept.keys() == {"eventId", "type", "url", "referrer", "consent", "receivedAt", "userAgent"}
    assert "ip" not in refused
    assert in_words["failed"][0]["payload"].count("anonId") == 0


def test_a_cookieless_visitor_has_a_daily_id_and_a_server_event_has_no_visitor(service):
    one = page("quiet1") | {"anonId": "from-the-browser"}
    service.send(one, page("quiet2") | {"anonId": None}, key="pk_quiet")
    service.send(page("quiet3"), key="pk_quiet", headers={"user-agent": "another"})
    service.client.post(
        "/api/track", json={"publicKey": "pk_shop", **page("server")}, headers={"authorization": "Bearer sk_secret"}
    )
    service.client.post("/admin/flush", headers=ADMIN)
    by_id = {row["event_id"]: row for row in rows(service.receipts())}
    assert by_id["e-quiet1"]["anon_id"] == by_id["e-quiet2"]["anon_id"] != "from-the-browser"
    assert by_id["e-quiet3"]["anon_id"] != by_id["e-quiet1"]["anon_id"]
    receipt = next(r for r in service.receipts() if any(w["event_id"] == "e-server" for w in r.get("rows", [])))
    assert "ip" not in receipt
    assert "ua" not in receipt


def test_no_file_of_the_home_contains_an_address(tmp_path):
    mail, address, six = "jo.doe@example.com", "203.0.113.77", "2001:db8:85a3::8a2e:370:7334"
    with collecting(tmp_path, "--trusted-proxy", "127.0.0.1") as service:
        short, hidden = "fe80::abcd", [address.replace(".", "%2E"), six.replace(":", "%253A"), "jo.doe%40example%2Ecom"]
        texts = [mail, mail.replace("@", "%40"), f"call {address} now", f"from {six}", "jo.doe\\u0040example.com"]
        texts += [short, *hidden]
        events = []
        for n, text in enumerate(texts):
            properties = {"note": text, "ip": address, "phone": "+4930123", "deep": [text], text: 1}
            members = {"title": text, "properties": properties}
            url = f"https://jo.doe:pass!word@shop.example/{text}/?q={text}&ip={address}#{text}"
            events.append(page(f"mail{n}", url=url, referrer=url, anonId=text, userId="u", orderId=text, **members))
            events.append(page(f"bad{n}", type=text, url=url, anonId=text, email=mail, **members))
            events.append(page(f"worse{n}", url=url, title=[text], email=mail, phone="+4930123", userId=text))
            events.append(page(f"hash{n}", emailHash=mail, phoneHash="+4930123"))
            events.append(page(f"huge{n}", phone="+4930123", value="HUGE", title=text))
        headers = PLAIN | {"x-forwarded-for": f"{address}, 10.0.0.1", "user-agent": f"Bot ({mail})"}
        body = json.dumps({"publicKey": "pk_shop", "events": events}).replace("\\\\u0040", "\\u0040")
        body = body.replace('"HUGE"', "1e9" + 20 * "9")
        answer = service.client.post("/api/track", content=body, headers=headers)
        assert answer.json()["received"] == len(events)
        assert mail not in answer.text
        service.client.post("/api/track", content=f'{{"publicKey":"pk_shop","type":"{mail}', headers=headers)
        assert service.stop() == 0
    assert len(rows(receipts(tmp_path))) == len(texts)
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name != "tributary.yaml":
            content = path.read_text(errors="replace")
            for secret in ("jo.doe", "pass!word", address, six, short, *hidden, "4930123", *SECRETS.values()):
                assert secret not in content, (path, secret, content[max(0, content.find(secret) - 200) :][:300])
    assert (tmp_path / "salts.json").stat().st_mode & 0o777 == 0o600


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path):
    acknowledged, stop = [], threading.Event()

    def send(port: int, worker: int) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"origin": ORIGIN}) as client:
            for n in range(100_000):
                events = [page(f"{port}-{worker}-{n}-{i}") for i in range(10)]
                try:
                    if client.post("/api/track", json={"publicKey": "pk_shop", "events": events}).status_code == 202:
                        acknowledged.extend(event["eventId"] for event in events)
                except httpx.TransportError:
                    return
                if stop.is_set():
                    return

    for round_ in range(3):
        with collecting(tmp_path, "--segment-mb", 0.05) as service:
            threads = [threading.Thread(target=send, args=(service.port, n)) for n in range(4)]
            for thread in threads:
                thread.start()
            before = len(acknowledged)
            while len(acknowledged) < before + 500 * (round_ + 1):
                time.sleep(0.01)
            service.process.kill()
            for thread in threads:
                thread.join()
    landed = Counter(row["event_id"] for row in rows(receipts(tmp_path)))
    assert not set(acknowledged) - set(landed)
    assert set(landed.values()) == {1}


def test_sigterm_answers_open_requests_closes_the_segment_and_exits_0(tmp_path):
    with collecting(tmp_path) as service:
        answered = [service.send(page(n)).status_code for n in range(20)]
        assert service.stop() == 0
    assert answered == [202] * 20
    assert [path.suffix for path in (tmp_path / "landing").iterdir() if not path.name.startswith(".")] == [".ndjson"]
    assert len(rows(receipts(tmp_path))) == 20


def test_a_segment_that_cannot_grow_gives_503_and_loses_no_acknowledged_event(tmp_path):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    with collecting(tmp_path, preexec_fn=limit) as service:
        answers = {n: service.send(page(n, title="x" * 900)) for n in range(60)}
        refused = [answer for answer in answers.values() if answer.status_code == 503]
        assert refused
        assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
        assert service.stop() == 0
    kept = {n for n, answer in answers.items() if answer.status_code == 202}
    assert len(kept) > 40  # it goes on in a new segment
    assert {row["event_id"] for row in rows(receipts(tmp_path))} == {f"e-{n}" for n in kept}


def test_the_collector_reports_a_missing_landing_folder_and_recovers(tmp_path):
    with collecting(tmp_path, "--segment-seconds", 0.2) as service:
        assert service.send(page("before")).status_code == 202
        while not closed_segments(tmp_path / "landing"):
            time.sleep(0.05)
        (tmp_path / "landing").rename(tmp_path / "away")
        answer = service.send(page("lost"))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert service.client.get("/readyz").status_code == 503
        assert service.client.get("/healthz").status_code == 200
        (tmp_path / "away").rename(tmp_path / "landing")
        assert service.client.get("/readyz").status_code == 200
        assert service.send(page("lost")).json()["accepted"] == 1  # not a duplicate: it was never kept
        assert service.stop() == 0
    assert [row["event_id"] for row in rows(receipts(tmp_path))] == ["e-before", "e-lost"]


def test_two_workers_share_the_port_and_the_metrics(tmp_path):
    with collecting(tmp_path, "--workers", 2) as service:
        clients = [httpx.Client(base_url=service.client.base_url, headers={"origin": ORIGIN}) for _ in range(24)]
        for n, client in enumerate(clients):
            assert client.post("/api/track", json={"publicKey": "pk_shop", **page(n)}).status_code == 202
        assert service.metric("events_received_total") == service.metric("events_accepted_total") == 24
        flushed = clients[0].post("/admin/flush", headers=ADMIN).json()
        assert flushed["open"] == []
        assert {path.name for path in closed_segments(tmp_path / "landing")} == set(flushed["closed"])
        for client in clients:
            client.close()
        assert service.stop() == 0
    found = receipts(tmp_path)
    assert len(rows(found)) == 24
    assert len({receipt["ip"] for receipt in found}) == 1  # one salt
    writers = {path.name.split("-")[1] for path in closed_segments(tmp_path / "landing")}
    assert len(writers) <= 2


@pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed")
def test_several_workers_share_one_limit_in_redis(tmp_path):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    redis = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--dir", str(tmp_path)], stdout=subprocess.DEVNULL
    )
    try:
        with collecting(tmp_path, "--workers", 2, env={"TRIBUTARY_REDIS_URL": f"redis://127.0.0.1:{port}"}) as service:
            sent = Counter()
            for n in range(30):
                with httpx.Client(base_url=service.client.base_url, headers={"origin": ORIGIN}) as client:
                    body = {"publicKey": "pk_small", "events": [page(f"{n}-{i}") for i in range(10)]}
                    sent[client.post("/api/track", json=body).status_code] += 1
            assert sent.keys() == {202, 429}
            assert 10 <= sent[202] < 30  # 100 at once, and what a slow machine is given meanwhile
            assert service.send(page("x"), key="pk_shop").status_code == 202
            redis.kill()
            redis.wait()
            assert service.send(page("y"), key="pk_shop").status_code == 202  # each worker by itself
            assert service.stop() == 0
    finally:
        redis.kill()
        redis.wait()
    assert sum(r["received"] for r in receipts(tmp_path) if r["site"] == "small") == 300


def test_changed_settings_apply_without_a_restart_and_invalid_ones_do_not(tmp_path):
    with collecting(tmp_path) as service:
        file = tmp_path / "tributary.yaml"

        def wait_for(status: int) -> None:
            deadline = time.monotonic() + 30
            while service.send(page("key"), key="pk_new").status_code != status:
                assert time.monotonic() < deadline
                time.sleep(0.05)

        wait_for(401)
        file.write_text(SETTINGS + "nonsense: [")
        time.sleep(1.2)
        assert service.send(page("still"), key="pk_shop").status_code == 202
        file.write_text(SETTINGS.replace("pk_other", "pk_new").replace("other.example", "example.com"))
        wait_for(202)


def test_admin_routes_need_the_admin_key(service):
    assert service.client.get("/admin/stats").status_code == 401
    assert service.client.post("/admin/flush", headers={"authorization": "Bearer guess"}).status_code == 401
    stats = service.client.get("/admin/stats", headers=ADMIN).json()
    events = stats["events"]
    assert events["received"] == sum(count for name, count in events.items() if name != "received")


def test_metrics_and_receipts_add_up_after_all_other_tests(service):
    names = ("received", "accepted", "duplicate", "rejected", "limited")
    counts = {name: service.metric(f"events_{name}_total") for name in names}
    assert counts["received"] == sum(counts[name] for name in names[1:]) > 0
    service.client.post("/admin/flush", headers=ADMIN)
    found = [r for r in service.receipts() if r["kind"] == "events"]
    for receipt in found:
        parts = len(receipt.get("rows", [])) + len(receipt.get("failed", []))
        assert receipt["received"] == parts + receipt.get("duplicate", 0) + receipt.get("limited", 0)
    assert sum(receipt["received"] for receipt in found) == counts["received"]
    assert sum(len(receipt.get("rows", [])) for receipt in found) == counts["accepted"]


def test_an_address_in_use_gives_a_clear_error(service, tmp_path):
    done = subprocess.run(
        [COMMAND, "collect", "--port", str(service.port)],
        env={**os.environ, "TRIBUTARY_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "Another program uses port" in done.stderr
    assert "Traceback" not in done.stderr
