"""One rule for personal data: a file and the collector store the same result of the same text."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

import duckdb
import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingestion.collector.duplicates import Recent
from ingestion.collector.events import decode_request
from ingestion.collector.intake import Sender, process
from ingestion.collector.validation import rules_of
from ingestion.files.load import load_file
from ingestion.home import Home
from ingestion.privacy.redact import hash_email, hash_phone, redact_id, redact_text, redact_user_agent
from ingestion.segments.loading import load_landing
from ingestion.warehouse import connect
from tests.support.segments import SETTINGS, START

PIECES = [
    *("jo", "bob:pw", "@", "%40", "%2540", "\\u0040", "example.com", ".com", ".", "%2E", "%252e", "É", "İ", "ΟΔΟΣ"),
    *("203.0.113.7", "1.2.3", "255", "256", "7", "fe80::1", "2001:db8::8a2e", "2001:0db8:0:0:0:8a2e:370:7334"),
    *(":", "::", "%3A", "%253a", "%20", "https://", "//", "/", "?", "#", "&", "=", " ", "\n", "\t", "\0", ",", "-"),
    *('{"ip":"203.0.113.7","a":1}', '{"client-IP": [1], "note": "jo@example.com"}', '{"phone":"+49 30"}', '["::"]'),
    *('{"a":"jo@example.com","a":1}', '{"n":1e400,"userIp":1}', '{"zip":"1.10"}', "{", "}", "[", "]", '"', "\\"),
    '{"userAgent":"Chrome/126.0.0.0 jo@example.com"}',
]  # fmt: skip
# The Unicode tables of Python, of DuckDB's RE2 and of google-re2 differ in characters that one of them does not know.
KNOWN = st.characters(exclude_categories=["Cs", "Cn"], max_codepoint=0x2EBEF)
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    st.lists(st.sampled_from(PIECES) | st.text(KNOWN, max_size=3), max_size=6).map("".join),
    st.text(KNOWN, max_size=20),
).map(lambda text: text[:250])
CASES = [
    ("203.0.113.7", "(ip)"),
    ("https://shop.example/?ip=203.0.113.7", "https://shop.example/?ip=(ip)"),
    ("https://203.0.113.7/?ip=203.0.113.8", "https://203.0.113.7/?ip=(ip)"),
    ("https://bob:pw@shop.example/a", "https://shop.example/a"),
    ("https://bob:p@w@shop.example/a", "https://shop.example/a"),
    ("https://shop.example/?q=jo%2540example.com", "https://shop.example/?q=(email)"),
    ("1.2.3.4,5.6.7.8,9.9.9.9", "(ip),(ip),(ip)"),
    ("version 1.2.3.4.5 at 10:20:30", "version 1.2.3.4.5 at 10:20:30"),
    ("fe80::1", "(ip)"),
    ("::ffff:cb00:714d, 64:ff9b::cb00:714d", "(ip), (ip)"),
    ("tcp://203.0.113.7:4711", "tcp://(ip):4711"),
    ('{"x-forwarded-for": 1, "telephone": 2, "hotel": 3}', '{"hotel":3}'),
    ("Bot 203.0.113.7 Chrome/126.0.0.0", "Bot (ip) Chrome/(ip)"),
    ("jo\0@example.com", "(email)"),
    ('{"ip": "203.0.113.7", "n": [1.0, "jo\\u0040example.com"]}', '{"n":[1.0,"(email)"]}'),
    ('{"userAgent": "Chrome/126.0.0.0 (jo@example.com)"}', '{"userAgent":"Chrome/126.0.0.0 ((email))"}'),
    ('{"note": "jo@example.com", "note": "nothing"}', '{"note":"nothing"}'),
    ('{"zip": "12345",  "price": 1.10}', '{"zip": "12345",  "price": 1.10}'),
    ('{"ip": torn jo@example.com', '{"ip": torn (email)'),
]
IDS, COLUMNS = ("session_id", "user_id", "order_id"), ("url", "path", "title", "referrer")


@pytest.mark.parametrize(("text", "redacted"), CASES, ids=range(len(CASES)))
def test_text_is_redacted(text, redacted):
    assert redact_text(text) == redacted
    assert redact_text(redacted) == redacted


def test_a_user_agent_keeps_its_versions():
    agent = "Mozilla/5.0 (203.0.113.7; jo@example.com; fe80::1) Chrome/126.0.0.0"
    assert redact_user_agent(agent) == "Mozilla/5.0 ((ip); (email); (ip)) Chrome/126.0.0.0"


def test_an_id_is_hashed_where_it_is_an_address_and_empty_where_it_holds_an_ip_address():
    assert redact_id(" Jo@Example.com ") == sha256(b"jo@example.com").hexdigest()
    assert redact_id("ip=203.0.113.7") == redact_id("fe80::1") == ""
    assert redact_id("order-1.2.3") == "order-1.2.3"


@pytest.fixture(scope="module")
def doors(tmp_path_factory) -> Iterator[tuple[Door, Door]]:
    """A home that files are imported into, and one that the collector's segments are loaded into."""
    homes = [Home(tmp_path_factory.mktemp(name)) for name in ("files", "collector")]
    for home in homes:
        for folder in (home.landing, home.temporary, home.archive):
            folder.mkdir()
    with connect(homes[0]) as files, connect(homes[1]) as collector:
        yield Door(homes[0], files), Door(homes[1], collector)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(TEXTS, min_size=1, max_size=60))
@example(texts=[text for text, _ in CASES])
def test_sql_and_python_agree(doors, texts):
    found = (
        doors[0]
        .raw.execute(
            "select redact_text(t), redact_user_agent(t), coalesce(redact_id(t), ''), hash_email(t), hash_phone(t)"
            " from (select unnest($1) as t)",
            [texts],
        )
        .fetchall()
    )
    expected = [(redact_text(t), redact_user_agent(t), redact_id(t), hash_email(t), hash_phone(t)) for t in texts]
    assert found == expected


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(TEXTS, min_size=1, max_size=100))
@example(texts=[text for text, _ in CASES])
def test_a_file_and_the_collector_store_the_same(doors, texts):
    events = [
        {
            **dict.fromkeys((*IDS, *COLUMNS), text),
            "event_id": f"e-{number:04}",
            "properties": {
                "note": text,
                f"n{text}": [text],
                "clientIp": text,
                "deep": {"phone": text, "userAgent": text},
            },
        }
        for number, text in enumerate(texts)
    ]
    files, collector = doors
    import_file(files, events)
    collect(collector, events)
    assert stored(files) == stored(collector)


class Door(NamedTuple):
    home: Home
    raw: duckdb.DuckDBPyConnection


def import_file(door: Door, events: list[dict]) -> None:
    path = door.home.root / "events.ndjson"
    fixed = {"site_id": "shop", "type": "PAGE_VIEW", "occurred_at": START.isoformat() + "Z", "anon_id": "v"}
    path.write_text("".join(json.dumps(event | fixed) + "\n" for event in events))
    assert load_file(door.raw, "events", path, settings=SETTINGS).loaded == len(events)


def collect(door: Door, events: list[dict]) -> None:
    rules = rules_of(SETTINGS.sites[0], SETTINGS)
    sender = Sender(org="default", site="shop", public_key="pk", received_at=datetime.now(UTC))
    lines = []
    for event in events:
        members = {camel(name): value for name, value in event.items()} | {"type": "PAGE_VIEW", "anonId": "v"}
        body = msgspec.json.encode(members)
        lines.append(process(body, decode_request(body), sender, rules, Recent()).line)
    (door.home.landing / f"20260701T000000000Z-1-{uuid.uuid4().hex}.ndjson").write_bytes(b"".join(lines))
    (report,) = load_landing(door.raw, door.home, SETTINGS)
    assert report.loaded == len(events)


def stored(door: Door) -> list[tuple]:
    """Take the rows out of the table. A file's texts are trimmed."""
    columns = ", ".join(f"nullif(trim({name}), '')" for name in (*IDS, *COLUMNS))
    rows = door.raw.execute(f"select event_id, {columns}, properties from raw.events order by event_id").fetchall()
    door.raw.execute("delete from raw.events")
    return rows


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


@pytest.mark.parametrize(
    "piece", ["a", "a.", "1.", "x:", "a@b", "%40", "%2E", "1.1.1.1", "fe80::", '{"', "//", "a@b.cc"]
)
def test_redaction_takes_linear_time(piece):
    """A text of a megabyte takes no longer than a hundred of ten kilobytes, give or take."""

    def seconds(text: str) -> float:
        began = time.process_time()
        redact_text(text)
        redact_id(text)
        return time.process_time() - began

    seconds(piece)
    short = piece * (10_000 // len(piece))
    assert seconds(short * 100) < 20 * 100 * max(min(seconds(short) for _ in range(3)), 1e-4)
