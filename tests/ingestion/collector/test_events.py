"""Events as clients send them: ids that are numbers, and refunds with and without an amount."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ingestion.collector.events import Event, Unreadable, decode_request
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
