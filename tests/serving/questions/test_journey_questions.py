"""Paths, lags and roles of all days equal the marts; one conversion's credit sums to the conversion."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import pytest

from tests.support.questions import Questions, table, total

ORGS = ("northwind", "nordlicht")
PURCHASE = "conversion_type = 'purchase'"  # northwind counts leads, too


@pytest.fixture(scope="module")
def questions(built):
    asking = Questions(built)
    yield asking
    asking.close()


@pytest.mark.parametrize("org", ORGS)
def test_paths_of_all_days_equal_the_marts(questions, org):
    paths = questions.ask(org, "paths")
    expected = questions.sql(
        org, f"select path, conversions, value_micros from conversion_paths where conversions > 0 and {PURCHASE}"
    )
    assert table([row for row in paths if row["conversions"]], "path", "conversions", "value_micros") == set(expected)
    measures = (("days_to_convert", "days", "days_to_convert"), ("path_lengths", "touches", "path_length"))
    for name, number, measure in measures:
        expected = questions.sql(
            org,
            f"select number, conversions, share_up_to from journey_distributions where measure = $1 and {PURCHASE}",
            measure,
        )
        assert table(questions.ask(org, name), number, "conversions", "share_up_to") == set(expected)
    expected = questions.sql(
        org,
        "select channel, touched_conversions, opening_conversions, assisted_conversions, closing_conversions,"
        f" sole_conversions, assisted_value_micros, closing_value_micros from channel_roles where {PURCHASE}",
    )
    rows = questions.ask(org, "channel_roles")
    assert table(rows, *[name for name in rows[0] if name != "assisted_to_closing"]) == set(expected)


@pytest.mark.parametrize("org", ORGS)
def test_two_periods_have_the_journeys_of_both(questions, org):
    ((first, last),) = questions.sql(org, "select min(date), max(date) from conversions")
    middle = first + (last - first) // 2
    halves = [
        questions.ask(org, "paths", **{"from": first, "to": middle}),
        questions.ask(org, "paths", **{"from": middle + timedelta(days=1), "to": last}),
    ]
    whole = questions.ask(org, "paths", **{"from": first, "to": last})
    for figure in ("conversions", "value_micros", "non_conversions"):
        assert total(halves[0], figure) + total(halves[1], figure) == total(whole, figure) > 0
    of_days = questions.sql(org, f"select count(*) from conversions where date <= $1 and {PURCHASE}", middle)
    unattributed = [row for row in questions.ask(org, "journeys", **{"to": middle}) if row["path"] == "(unattributed)"]
    assert total(halves[0], "conversions") + len(unattributed) == of_days[0][0]


def test_flows_keep_all_journeys(questions):
    flows = questions.ask("northwind", "path_flows")
    arriving, leaving = defaultdict(int), defaultdict(int)
    for flow in flows:
        leaving[flow["step"], flow["from_channel"]] += flow["conversions"]
        arriving[flow["step"] + 1, flow["to_channel"]] += flow["conversions"]
    assert all(leaving[place] >= count for place, count in arriving.items() if place[0] < 4)
    assert arriving[4, "(conversion)"] == total(questions.ask("northwind", "paths"), "conversions")


def test_search_finds_an_order_and_nothing_else(questions):
    ((order, conversion, customer),) = questions.sql(
        "northwind",
        "select order_id, conversion_id, customer_id from conversions"
        f" where order_id is not null and customer_id is not null and {PURCHASE} order by conversion_id limit 1",
    )
    for text in (order, order.lower(), conversion, customer):
        found = questions.ask("northwind", "journeys", search=text)
        assert conversion in [row["conversion_id"] for row in found]
        assert len(found) < 5
    assert questions.ask("northwind", "journeys", search="' or 1 = 1 --") == []
    assert questions.ask("northwind", "journeys", search="%") == []


def test_credit_of_a_conversion_sums_to_it(questions):
    ((conversion, value, touches),) = questions.sql(
        "northwind",
        "select conversion_id, value_micros, touchpoint_count from conversion_touches"
        " join conversions using (conversion_id) where position = 1 and value_micros > 0"
        " order by touchpoint_count desc, conversion_id limit 1",
    )
    assert touches > 2
    credit = questions.ask("northwind", "conversion_credit", conversion_id=conversion)
    for model in {row["attribution_model"] for row in credit}:
        of_model = [row for row in credit if row["attribution_model"] == model]
        assert total(of_model, "weight") == pytest.approx(1)
        assert total(of_model, "attributed_value_micros") == value
    columns = ("touchpoint_id", "attribution_model", "weight", "attributed_value_micros")
    explained = questions.ask("northwind", "conversion_explanation", conversion_id=conversion)
    assert table([row for row in explained if row["weight"]], *columns) == table(credit, *columns)
    in_window = questions.ask("northwind", "conversion_window_credit", conversion_id=conversion)
    assert table(in_window, *columns) == table(credit, *columns)
    timeline = questions.ask("northwind", "conversion_timeline", conversion_id=conversion)
    assert table(timeline, "touchpoint_id", "is_kept") == table(explained, "touchpoint_id", "is_kept")
    assert sum(row["is_kept"] for row in timeline) == touches
