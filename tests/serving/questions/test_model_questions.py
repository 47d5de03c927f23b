"""Models and windows side by side equal the marts, and no model creates or loses revenue."""

from __future__ import annotations

import pytest

from tests.support.questions import Questions, table


@pytest.fixture(scope="module")
def questions(built):
    asking = Questions(built)
    yield asking
    asking.close()


@pytest.mark.parametrize("window", [1, 30, 365])
def test_models_side_by_side_equal_the_mart(questions, window):
    rows = questions.ask("northwind", "model_comparison", window=window, model="last_touch", conversion_type="purchase")
    expected = questions.sql(
        "northwind",
        "select channel, attribution_model, conversions, conversion_value_micros from model_comparison"
        " where conversion_type = 'purchase' and lookback_days = $1",
        window,
    )
    assert len(expected) > 50
    assert table(rows, "channel", "attribution_model", "conversions", "conversion_value_micros") == set(expected)
    (booked,) = questions.sql(
        "northwind", "select sum(value_micros) from conversions where conversion_type = 'purchase'"
    )
    value = {(row["channel"], row["attribution_model"]): row["conversion_value_micros"] for row in rows}
    for model in {row["attribution_model"] for row in rows}:
        of_model = [row for row in rows if row["attribution_model"] == model]
        assert sum(row["conversion_value_micros"] for row in of_model) == booked[0]
        assert sum(row["value_share"] for row in of_model) == pytest.approx(1)
    for row in rows:
        difference = row["conversion_value_micros"] - value[row["channel"], "last_touch"]
        assert row["value_difference_micros"] == difference


def test_windows_of_one_model_equal_the_mart(questions):
    rows = questions.ask("nordlicht", "window_comparison", model="time_decay", conversion_type="purchase")
    expected = questions.sql(
        "nordlicht",
        "select channel, lookback_days, conversions, conversion_value_micros from model_comparison"
        " where conversion_type = 'purchase' and attribution_model = 'time_decay' and conversions > 0",
    )
    found = [row for row in rows if row["conversions"]]
    assert table(found, "channel", "lookback_days", "conversions", "conversion_value_micros") == set(expected)
    assert len({row["lookback_days"] for row in rows}) >= 8
    assert len(rows) == len(table(rows, "channel")) * len(table(rows, "lookback_days"))
