"""Events as clients send them: ids that are numbers, and refunds with and without an amount."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ingestion.collector.events import Event, Unreadable, correct_clock, decode_request
from ingestion.collector.validation import Rules, row_of, window


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("7010", "7010"),
        ("7010.0", "7010"),
        ("120214000000000017", "120214000000000017"),
        ("-5", "-5"),
        ('"7010"', "7010"),
    ],
)
def test_whole_numbers_are_ids(written: str, text: str) -> None:
    event = f'{{"type": "CONVERSION", "orderId": {written}, "userId": {written}, "value": 9.10}}'
    for body in (event, f'{{"publicKey": "pk", "events": [{event}]}}'):
        (found,) = decode_request(body.encode()).events
        assert isinstance(found, Event)
        assert (found.order_id, found.user_id, found.value) == (text, text, Decimal("9.10"))


@pytest.mark.parametrize("written", ["1.5", "1.20214E+17", "true", "[7010]"])
def test_other_numbers_are_no_ids(written: str) -> None:
    (found,) = decode_request(f'{{"type": "CONVERSION", "orderId": {written}}}'.encode()).events
    assert isinstance(found, Unreadable)


@pytest.mark.parametrize(
    ("kind", "members", "micros"),
    [
        ("REFUND", {}, None),
        ("REFUND", {"value": None}, 0),
        ("REFUND", {"value": "4.5"}, 4_500_000),
        ("CONVERSION", {}, None),
        ("CONVERSION", {"value": None}, None),
    ],
)
def test_a_refund_without_a_value_is_whole_and_one_with_null_is_none(
    kind: str, members: dict, micros: int | None
) -> None:
    rules = Rules({"REFUND": {}, "CONVERSION": {}}, timedelta(days=1), Decimal(10**6))
    (event,) = decode_request(json.dumps({"type": kind, "orderId": "A", **members}).encode()).events
    assert isinstance(event, Event)
    assert row_of(event, rules, window(rules, datetime.now(UTC))).value_micros == micros


@pytest.mark.parametrize("error", [0, 11, -11, -180, 60 * 24 * 365], ids="{} minutes".format)
@pytest.mark.parametrize("transfer", [0.05, 25])
@pytest.mark.parametrize("padding", [0, 70_000], ids=["short", "long"])
def test_the_time_of_the_sending_corrects_a_wrong_clock(error: int, transfer: float, padding: int) -> None:
    """A browser with a clock that is `error` minutes fast sends a page view of 90 seconds ago and a conversion."""
    real = datetime(2026, 11, 27, 12, 0, 0, 250_000, tzinfo=UTC)
    device = real + timedelta(minutes=error)
    seen = (device - timedelta(seconds=90)).isoformat()
    events = [
        {"type": "PAGE_VIEW", "timestamp": seen},
        {"type": "CONVERSION", "timestamp": int(device.timestamp() * 1000)},
        {"type": "PAGE_VIEW", "title": "x" * 900, "properties": {"text": ["y" * 70] * (padding // 70)}},
    ]
    body = {"publicKey": "pk", "sentAt": int(device.timestamp() * 1000), "events": events}
    batch = decode_request(json.dumps(body).encode(), max_event=100_000 if not padding else 1000)
    correct_clock(batch, real + timedelta(seconds=transfer))
    page, conversion = batch.events[:2]
    assert isinstance(page, Event)
    assert isinstance(conversion, Event)
    assert page.timestamp == real - timedelta(seconds=90)
    assert conversion.timestamp == int(real.timestamp() * 1000)


@pytest.mark.parametrize("sent_at", [None, "now", True, 1.5, -1, 10**40, {"a": 1}])
def test_a_time_of_sending_that_is_none_changes_nothing(sent_at: object) -> None:
    events = [{"type": "PAGE_VIEW", "timestamp": "2026-11-27T12:00:00Z"}, {"type": "PAGE_VIEW", "timestamp": 10**15}]
    batch = decode_request(json.dumps({"sentAt": sent_at, "events": events}).encode())
    correct_clock(batch, datetime(2026, 11, 27, 15, tzinfo=UTC))
    assert [event.timestamp for event in batch.events if isinstance(event, Event)] == [
        datetime(2026, 11, 27, 12, tzinfo=UTC),
        10**15,
    ]


def test_a_moment_at_the_end_of_time_stays() -> None:
    body = {"sentAt": 0, "events": [{"type": "PAGE_VIEW", "timestamp": "9999-12-31T23:59:59Z"}]}
    batch = decode_request(json.dumps(body).encode())
    correct_clock(batch, datetime(2026, 11, 27, tzinfo=UTC))
    (event,) = batch.events
    assert isinstance(event, Event)
    assert event.timestamp == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
