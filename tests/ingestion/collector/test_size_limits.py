"""Bodies that are made to be slow or large: the time to read them, and the reason with which they are rejected."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest

from ingestion.collector.duplicates import Recent
from ingestion.collector.events import decode_request
from ingestion.collector.intake import Outcome, Sender, process
from ingestion.collector.problems import Problem
from ingestion.collector.size_limits import check_texts, check_values
from ingestion.collector.validation import rules_of
from tests.support.segments import SETTINGS

MIB = 1 << 20
RULES = rules_of(SETTINGS.sites[0], SETTINGS)
PIECES = {
    "escaped marks": "%40a.1a.1a.1",
    "mark": "@",
    "half addresses": "a@b.",
    "addresses": "a@b.co ",
    "dotted numbers": "1.1.1.1",
    "IPv4": "1.1.1.1 ",
    "IPv6": "2001::1 ",
    "groups": "f000:0:",
    "colons": ":",
    "percents": "%",
    "escaped percents": "%25",
    "URLs": "//a@",
    "JSON": '{"a":',
    "whole JSON": '["a@b.co"]',
    "brackets": "[",
    "quotes": '{"',
    "NUL": "\0a@b",
    "letters": "漢@漢.漢 ",
    "half characters": "\ud83d",
    "names of addresses": "userIp",
}


def read(body: bytes) -> Outcome:
    """Do all that the collector does with a decompressed body before it writes the line."""
    sender = Sender(org="default", site="shop", public_key="pk", received_at=datetime.now(UTC))
    check_values(body)
    batch = decode_request(body)
    check_texts(body, batch)
    return process(body, batch, sender, RULES, Recent())


def event(**members: object) -> dict:
    return {"eventId": "e", "type": "CUSTOM", "anonId": "a", **members}


def body_of(*events: dict) -> bytes:
    return json.dumps({"publicKey": "pk", "events": events}).encode()


def bodies(piece: str) -> Iterator[bytes]:
    """Bodies of up to a mebibyte that have the piece in every place, many times."""

    def text(size: int) -> str:
        return piece * (size // len(json.dumps(piece)) + 1)

    yield body_of(event(properties={"x": {"y": text(MIB - 1000)}}))
    yield body_of(event(properties={text(MIB - 1000): 1}))
    for each in (
        event(properties={"x": text(8000)}),
        event(url=text(2500), referrer=text(2500), path=text(2500), title=text(900)),
        event(properties={"x": [text(200)] * 40}),
        event(properties={"x": [piece] * 90}),
        event(properties={f"{piece}{n}": piece for n in range(90)}),
        event(properties={"x": [piece] * 90}, type="UNKNOWN"),
        event(properties={"x": [piece] * 90}, url=[text(200)]),
        event(properties={"x": json.dumps({"a": [piece] * 300})}),
    ):
        yield body_of(*[each] * min(100, MIB // len(json.dumps(each))))


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_a_mebibyte_of_any_text_is_read_in_half_a_second(piece):
    """It takes 50 ms on an idle machine. A pattern that reads a text again and again would take many seconds."""
    for body in bodies(piece):
        assert min(seconds(body) for _ in range(3)) < 0.5, body[:300]


def seconds(body: bytes) -> float:
    """Return the processor time to read a body, whatever else the machine does."""
    assert len(body) <= MIB + 2000
    began = time.process_time()
    with suppress(Problem):
        read(body)
    return time.process_time() - began


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({f"k{n}": n for n in range(1000)}, None),
        ({f"k{n}": n for n in range(1001)}, "too_many_values"),
        ({"deep": [[{"a": 1}] * 300] * 2}, "too_many_values"),
        ({"text": "x" * 8192}, None),
        ({"text": ["x" * 8193]}, "long_text"),
        ({"n" * 256: 1}, None),
        ({"a": {"n" * 257: 1}}, "long_name"),
        ({"a": [json.loads("[" * 30 + "1" + "]" * 30)]}, None),
        ({"a": [json.loads("[" * 31 + "1" + "]" * 31)]}, "too_deep"),
        ({f"k{n}": "x" * 8000 for n in range(9)}, "too_large"),
        ({f"k{n}": n for n in range(6000)} | {"text": "x" * 970_000}, "too_large"),
    ],
)
def test_an_event_has_limits_and_a_rejected_one_is_kept_without_its_properties(properties, reason):
    sent = body_of(event(properties=properties, title="kept"), event(eventId="other"))
    outcome = read(sent)
    assert [error["reason"] for error in outcome.errors] == ([reason] if reason else [])
    assert outcome.accepted == 2 - bool(reason)
    for failed in msgspec.json.decode(outcome.line).get("failed", []):
        payload = json.loads(failed["payload"])
        assert (payload["eventId"], payload["title"], payload.get("properties")) == ("e", "kept", None)


def test_a_request_has_limits():
    many_values = [event(properties={f"k{n}": n for n in range(100)})] * 100
    many_addresses = [event(properties={"x": "jo@example.com " * 20})] * 60
    for sent in (many_values, many_addresses):
        with pytest.raises(Problem, match="Send fewer events in one request") as error:
            read(body_of(*sent))
        assert error.value.status == 413
        assert read(body_of(*sent[: len(sent) // 2])).errors == []
