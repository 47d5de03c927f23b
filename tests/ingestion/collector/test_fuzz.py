"""The real collector against everything that an open port may receive: nonsense, floods, bombs, slow clients.

It answers each request with what it documents, its memory stays bounded, and its books balance after all of it:
received = accepted + duplicate + rejected + limited.
"""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import schemathesis
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from ingestion.placeholders import real_id
from ingestion.segments.loading import load_landing
from ingestion.settings.load import load_settings
from ingestion.warehouse import build_lock, connect
from tests.support.collector import Running, collecting

KEY, ORIGIN = "pk_fuzz", "https://shop.example"
SETTINGS = f"""
orgs: [{{id: default, currency: USD, timezone: UTC}}]
sites: [{{id: shop, org: default, public_key: {KEY}, domains: [shop.example], events_per_minute: 2000000}}]
event_types: [{{type: VOTE, properties: {{stars: {{type: integer, required: true, one_of: [1, 2, 3]}}}}}}]
"""
MAX_BODY = 1_048_576
# What a collector may answer; 503 only of a full disk, which this one has not.
ANSWERS = {202, 400, 401, 403, 404, 405, 408, 413, 415, 422, 429}
TEXTS = [
    "'); drop table raw.events; --",
    "../../etc/passwd",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "a\nb\r\nc",
    "=cmd('calc')",
]


@dataclass(frozen=True)
class Door(Running):
    """A collector and a client that keeps its connections."""

    http: httpx.Client

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def post(self, content: bytes, **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        headers = {"Origin": ORIGIN, "Content-Type": "application/json", **given}
        return self.http.post(f"{self.url}/api/track", content=content, headers=headers)

    def is_well(self) -> bool:
        """An ordinary event is taken."""
        answer = self.post(json.dumps({"publicKey": KEY, "type": "PAGE_VIEW", "anonId": "v", "url": ORIGIN}).encode())
        return answer.status_code == 202 and answer.json()["accepted"] == 1

    def memory(self) -> int:
        """Resident bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024


@pytest.fixture(scope="module")
def collector(tmp_path_factory) -> Iterator[Door]:
    with collecting(tmp_path_factory.mktemp("fuzz") / "home", SETTINGS) as running, httpx.Client(timeout=30) as http:
        yield Door(running.home, running.url, running.process, http)


def check(answer: httpx.Response) -> None:
    """The answer is one that the collector documents, and adds up."""
    assert answer.status_code in ANSWERS, (answer.status_code, answer.text)
    reply = answer.json()
    if answer.status_code == 202:
        assert reply["received"] == reply["accepted"] + reply["duplicate"] + reply["rejected"]
        assert reply["rejected"] == len(reply["errors"])
        assert all(error["layer"] and error["reason"] for error in reply["errors"])
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert reply["status"] == answer.status_code
        assert reply["detail"]


strange = st.one_of(
    st.sampled_from([*TEXTS, "\x00", "\ud800", "😀" * 300, "x" * 20_000, "1e400", "-0", "NaN", "2026-02-30T00:00:00Z"]),
    st.text(max_size=30),
    st.integers(),
    st.sampled_from([10**400, -(10**30), 2**63, 1e308, -0.0, 0.1]),
    st.floats(),
    st.booleans(),
    st.none(),
)
anything = st.recursive(
    strange,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
words = st.text(max_size=40) | st.sampled_from([*TEXTS, "\ud83d", "a@b.org", "10.1.2.3", "", " " * 300])
amounts = (
    st.floats() | st.integers() | st.decimals().map(str) | st.sampled_from(["", "1e9999", "1_000", "0x10", 10**400])
)
moments = (
    st.datetimes().map(lambda at: at.isoformat() + "Z") | st.integers() | st.sampled_from(["2026-02-30T00:00Z", ""])
)
flags = st.booleans() | st.none()
MEMBERS = {
    "type": st.sampled_from(["PAGE_VIEW", "page_view ", "CUSTOM", "VOTE", "CONVERSION", "REFUND", "nonsense"]),
    **dict.fromkeys(("eventId", "url", "path", "anonId", "sessionId", "referrer", "userId", "email", "phone"), words),
    **dict.fromkeys(("orderId", "conversionType", "title", "entityType", "entityId"), words),
    **dict.fromkeys(("source", "campaignId", "clickIds", "channel"), words),
    "value": amounts,
    "timestamp": moments,
    "currency": st.sampled_from(["USD", "eur", "XXXX", ""]),
    "consent": flags,
    "isReplay": flags,
    "samplePercent": st.integers(-5, 200),
    "properties": st.dictionaries(words | st.sampled_from(["ip", "stars"]), anything, max_size=4),
}
plausible = st.fixed_dictionaries({}, optional=MEMBERS).map(lambda event: {"type": "PAGE_VIEW", "anonId": "v", **event})
wrong = st.dictionaries(st.sampled_from([*MEMBERS, "publicKey", "events"]), anything, max_size=2)
event = plausible | st.tuples(plausible, wrong).map(lambda parts: {**parts[0], **parts[1]})
request = st.one_of(
    event.map(lambda one: {**one, "publicKey": KEY}),
    st.lists(event, max_size=6).map(lambda events: {"publicKey": KEY, "events": events}),
    event,
    anything,
)


def broken(body: bytes, cuts: tuple[int, int], filler: bytes) -> bytes:
    """A body with a piece of it replaced."""
    start, end = sorted(cut % (len(body) + 1) for cut in cuts)
    return body[:start] + filler + body[end:]


bodies = request.map(lambda document: json.dumps(document).encode())
pieces = st.tuples(bodies, st.tuples(st.integers(0, 5000), st.integers(0, 5000)), st.binary(max_size=8))
many = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@many
@given(body=bodies | pieces.map(lambda parts: broken(*parts)) | st.binary(max_size=200))
def test_any_body_gets_a_documented_answer(collector, body):
    check(collector.post(body))


@many
@given(
    body=bodies,
    encoding=st.sampled_from(["gzip"] * 4 + ["zstd"] * 4 + ["gzip, gzip", "br", "x" * 3000]),
    cuts=st.just((0, 0)) | st.tuples(st.integers(0, 5000), st.integers(0, 5000)),
    kind=st.sampled_from(["application/json"] * 4 + ["text/plain;charset=UTF-8"] * 2 + ["application/xml", ""]),
)
def test_any_encoding_gets_a_documented_answer(collector, body, encoding, cuts, kind):
    packed = zstandard.compress(body) if encoding == "zstd" else gzip.compress(body)
    check(collector.post(broken(packed, cuts, b""), Content_Encoding=encoding, Content_Type=kind))


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"publicKey":"%b","type":"CUSTOM","anonId":"v","properties":' % KEY.encode() + b'{"a":' * 100_000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b'{"publicKey":"%b","type":"CUSTOM","anonId":"v","properties":%b}'
        % (KEY.encode(), b'{"a":' * 2000 + b"1" + b"}" * 2000),
        b'{"publicKey":"%b","type":"CUSTOM","anonId":"v","value":%b}' % (KEY.encode(), b"9" * 500_000),
        b'{"publicKey":"%b","type":"CUSTOM","anonId":"v","value":"%b"}' % (KEY.encode(), b"9" * 500_000),
        b'{"publicKey":"%b","type":"CUSTOM","anonId":"v","value":"1e999999999"}' % KEY.encode(),
        b'{"publicKey":"%b","type":"CUSTOM","anonId":"v","value":1e999999999}' % KEY.encode(),
        b'{"publicKey":"%b","type":"CUSTOM","anonId":"v","properties":{"n":%b}}' % (KEY.encode(), b"9" * 500_000),
        b'{"publicKey":"%b",' % KEY.encode() + b'"type":"CUSTOM",' * 50_000 + b'"anonId":"v"}',
        b'{"publicKey":"%b","events":[%b]}' % (KEY.encode(), b",".join([b"{}"] * 300_000)),
        b'{"publicKey":"%b","type":"CUSTOM","anonId":"v","url":"%b"}' % (KEY.encode(), b"a@" * 200_000),
        b'{"publicKey":"%b","type":"CUSTOM","anonId":"v","title":"%b"}' % (KEY.encode(), b"1." * 500),
        b"\xff\xfe" * 1000,
        b"",
        b" " * MAX_BODY,
        b" " * (MAX_BODY + 1),
    ],
    ids=range(17),
)
def test_extreme_bodies_get_a_documented_answer(collector, body):
    check(collector.post(body))
    assert collector.is_well()


def test_compression_bombs_do_not_fill_the_memory(collector):
    before = collector.memory()
    zeros = b" " * 300_000_000
    for encoding, bomb in (("gzip", gzip.compress(zeros)), ("zstd", zstandard.compress(zeros))):
        for _ in range(4):
            answer = collector.post(bomb, Content_Encoding=encoding)
            check(answer)
            assert answer.status_code == 413
    assert collector.memory() - before < 50_000_000


def test_endless_headers_are_cut_off(collector):
    for flood in (
        b"".join(b"X-%d: y\r\n" % n for n in range(50_000)),
        b"X-Long: " + b"y" * 5_000_000 + b"\r\n",
        b"Cookie: " + b"\x00\xff" * 100 + b"\r\n",
    ):
        with socket.create_connection(("127.0.0.1", collector.port)) as client:
            client.settimeout(20)
            try:
                client.sendall(b"POST /api/track HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n" + flood + b"\r\n")
                answer = client.recv(1000)
            except (ConnectionError, TimeoutError):
                continue  # hung up on
            assert answer == b"" or 400 <= int(answer[9:12]) < 500, answer
    assert collector.is_well()


def test_slow_clients_do_not_block_others(collector):
    """Hundreds of connections that stop in the middle of a head or a body and dribble on, until they are hung up on."""
    slow = []
    for n in range(400):
        client = socket.create_connection(("127.0.0.1", collector.port), source_address=(f"127.0.1.{n // 90}", 0))
        client.settimeout(0.001)
        head = b"POST /api/track HTTP/1.1\r\nHost: x\r\nOrigin: https://shop.example\r\n"
        client.sendall(head if n % 2 else head + b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
        slow.append(client)
    for _ in range(120):
        assert collector.is_well()
        slow = [client for client in slow if dribbles(client)]
        if not slow:
            break
        time.sleep(0.5)
    assert not slow, f"{len(slow)} connections may go on for ever"


def dribbles(client: socket.socket) -> bool:
    """Send one byte more; false once the connection is at its end."""
    try:
        client.send(b" ")
        if client.recv(1000):
            return True
    except TimeoutError:
        return True
    except ConnectionError:
        pass
    client.close()
    return False


@pytest.mark.parametrize("mode", GenerationMode)
def test_the_service_conforms_to_its_openapi_document(collector, mode):
    """Requests that fit /openapi.json and requests that do not: documented statuses, content types and bodies."""
    document = schemathesis.openapi.from_url(f"{collector.url}/openapi.json")
    operations = [found.ok() for found in document.get_all_operations()]
    assert ("post", "/api/track") in {(operation.method, operation.path) for operation in operations}
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and not operation.body:
            continue  # nothing can be wrong with such a request

        @settings(many, max_examples=50)
        @given(case=operation.as_strategy(generation_mode=mode))
        def conforms(case):
            if isinstance(case.body, dict):  # else no event would get beyond the key
                case.body = {**case.body, "publicKey": KEY}
                case.headers = {**(case.headers or {}), "Origin": ORIGIN}
            # A wrong event gives 202 with that event rejected. Types do not express all rules of the other page routes:
            # a person and a time in the window are required, too.
            others = [positive_data_acceptance] if case.path in ("/api/survey", "/api/events/checkout") else []
            case.call_and_validate(excluded_checks=[negative_data_rejection, *others])

        conforms()


STRANGE = (  # members of an event, in the order of the query below
    "url", "path", "anonId", "sessionId", "referrer", "userId", "orderId", "conversionType", "title", "entityType",
    "entityId",
)  # fmt: skip


def test_sql_and_paths_are_data_and_all_counts_add_up(collector):
    """What is put into every member at once is in the warehouse as it was sent, and nothing else happened.

    The last of the tests: it stops the collector, and counts what all of them sent.
    """
    for number, text in enumerate(TEXTS):
        event = {
            **dict.fromkeys(STRANGE, text),
            "type": "CUSTOM",
            "eventId": f"{number} {text}",
            "properties": {text: text},
        }
        answer = collector.post(json.dumps({**event, "publicKey": KEY}).encode()).json()
        assert answer["accepted"] == 1, answer
    counted = metrics(collector)
    assert counted["received"] == counted["accepted"] + counted["duplicate"] + counted["rejected"] + counted["limited"]
    collector.stop()
    with build_lock(collector.home, "test"), connect(collector.home) as connection:
        load_landing(connection, collector.home, load_settings(collector.home))
        rows = connection.execute(
            "select event_id, url, path, anon_id, session_id, referrer, user_id, order_id, conversion_type, title,"
            " entity_type, entity_id, properties from raw.events where type = 'CUSTOM' and entity_type is not null"
        ).fetchall()
        received, of_rows = connection.execute(
            "select sum(received_rows), sum(loaded_rows + duplicate_rows + failed_rows + limited_rows) from raw.loads"
        ).fetchone()
    found = {row[0]: row[1:] for row in rows}
    for number, text in enumerate(TEXTS):
        *columns, properties = found[f"{number} {text}"]
        named = dict(zip(STRANGE, columns, strict=True))
        ids = ("anonId", "sessionId", "userId", "orderId")
        kept = {name: text if real_id(text) or name not in ids else None for name in STRANGE}
        assert named == kept  # a template such as ${...} is no id
        assert json.loads(properties) == {text: text}
    assert counted["received"] == received == of_rows
    outside = {path.name for path in collector.home.root.parent.iterdir()} - {collector.home.root.name}
    assert not outside, "a file was written outside of the home"


def metrics(collector: Door) -> dict[str, float]:
    """The counters of events, summed over their labels."""
    families = text_string_to_metric_families(httpx.get(f"{collector.url}/metrics").text)
    values = {family.name: sum(s.value for s in family.samples if s.name.endswith("_total")) for family in families}
    names = ("received", "accepted", "duplicate", "rejected", "limited")
    return {name: values.get(f"tributary_events_{name}", 0.0) for name in names}
