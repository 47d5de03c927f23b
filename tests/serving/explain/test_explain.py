"""Explanations of small published tables: the suggested conversion, the notes on touches, singular and plural."""

from __future__ import annotations

from datetime import date, datetime

import duckdb
import pytest

from serving.explain.conversion import credit_table, describe_conversion, touches_table
from serving.summary import typical_conversion


@pytest.mark.parametrize(
    ("journeys", "expected"),
    [
        ({}, None),
        ({"short": "ab", "long": "abcdefgh"}, "long"),  # no typical one: channels first
        ({"one": "a", "two": "aaaaa"}, "two"),  # one channel each: the number of touches nearest to 5
        ({"a": "ab", "same": "aaaaa", "typical": "abac", "long": "abcdabcd"}, "typical"),
        ({"a": "abac", "b": "abcda", "c": "abcdef", "d": "abcab"}, "b"),
    ],
)
def test_a_run_suggests_a_typical_conversion(journeys, expected):
    with duckdb.connect() as connection:
        connection.execute("create table conversion_touches (org_id text, conversion_id text, channel text)")
        for conversion, channels in journeys.items():
            for channel in channels:
                connection.execute("insert into conversion_touches values ('o', $1, $2)", [conversion, channel])
        assert typical_conversion(connection) == expected


def touch(identifier: str, reason: str, position: int | None = None, merged_into: str | None = None) -> dict:
    return {
        "touchpoint_id": identifier,
        "reason": reason,
        "position": position,
        "merged_into": merged_into,
        "is_kept": reason == "kept",
        "occurred_at": datetime(2026, 7, 1, 10, 30),
        "channel": "Email",
        "touch_type": "email",
        "campaign_name": None,
    }


def test_a_note_explains_each_touch_without_credit():
    touches = [
        touch("early", "outside_lookback_window"),
        touch("opened early", "merged", merged_into="early"),
        touch("opened", "merged", merged_into="visited"),
        touch("visited", "kept", position=1),
        touch("doubtful", "suspicious"),
        touch("late", "after_conversion"),
    ]
    table = touches_table(touches)
    assert list(table.columns[-1].cells) == ["too early", "too early", "part of 1", "", "suspicious", "later"]
    assert list(table.columns[0].cells) == ["", "", "", "1", "", ""]


def test_one_touch_is_singular_and_none_is_unattributed():
    conversion = dict.fromkeys(("conversion_type", "id", "org_id", "currency", "timezone", "visitor_id"), "x")
    conversion |= dict.fromkeys(("order_id", "customer_id", "original_value_micros", "original_currency"))
    conversion |= {"value_micros": 1, "lookback_days": 30}
    conversion |= {"occurred_at": datetime(2026, 7, 1), "date": date(2026, 7, 1)}
    one, late = touch("a", "kept", position=1), touch("b", "after_conversion")
    assert list(describe_conversion(conversion, [one, late]))[-1].startswith("1 touch gets credit")
    assert list(describe_conversion(conversion, [one, one]))[-1].startswith("2 touches get credit")
    assert "No touch gets credit. Every report" in list(describe_conversion(conversion, [late]))[-1]
    assert "has no touch. Every report" in list(describe_conversion(conversion, []))[-1]


def test_credit_has_a_row_for_each_touch_and_the_money_of_each_model():
    links = [
        {"position": 1, "attribution_model": "linear", "weight": 0.5, "attributed_value_micros": 5_000_000},
        {"position": 2, "attribution_model": "linear", "weight": 0.5, "attributed_value_micros": 5_000_000},
        {"position": 2, "attribution_model": "last_touch", "weight": 1, "attributed_value_micros": 10_000_000},
    ]
    table = credit_table([link | {"touchpoint_count": 2} for link in links], ["linear", "last_touch"], "EUR", 30)
    assert [list(column.cells) for column in table.columns] == [["1", "2"], ["50.0", "50.0"], ["-", "100.0"]]
    assert [column.footer for column in table.columns] == ["EUR", "10.00", "10.00"]
