"""The forecast of a month: exact on regular weeks, honest about its error, careful with a short history."""

from __future__ import annotations

import random
from datetime import date, timedelta

import numpy as np
import pytest

from serving.dashboard.forecast import forecast, month_spend, t_quantile

FIRST = date(2026, 6, 1)
T_21 = 1.323188  # the 90% quantile of Student's t with 21 degrees of freedom


def series(days: int, amount, first: date = FIRST) -> dict[date, int]:
    return {first + timedelta(days=number): amount(first + timedelta(days=number)) for number in range(days)}


def test_a_regular_week_repeats_without_error():
    by_weekday = [10, 20, 30, 40, 50, 5, 0]
    spend = series(61, lambda day: by_weekday[day.weekday()] * 1_000_000)
    today = date(2026, 7, 20)
    known = {day: amount for day, amount in spend.items() if day <= today}
    found = forecast(known, today)
    whole = sum(amount for day, amount in spend.items() if day.month == 7)
    assert found is not None
    assert found.expected == found.low == found.high == whole
    assert month_spend(known, today) == sum(amount for day, amount in known.items() if day.month == 7)


@pytest.mark.parametrize("persistence", [0, 0.5])
@pytest.mark.parametrize("today", [date(2026, 7, 2), date(2026, 7, 15), date(2026, 7, 28)])
def test_the_interval_holds_the_outcome_in_eight_of_ten_months(today, persistence):
    chance, hits, months, noise = random.Random(7), 0, 1000, 0.0

    def amount(day: date) -> int:
        nonlocal noise
        noise = persistence * noise + chance.gauss(0, 15)
        return round((100 + 20 * (day.weekday() > 4) + noise) * 1e6)

    for _ in range(months):
        spend = series(61, amount)
        found = forecast({day: amount for day, amount in spend.items() if day <= today}, today)
        assert found is not None
        hits += found.low <= month_spend(spend, date(2026, 7, 31)) <= found.high
    assert 0.74 < hits / months < 0.89


def test_the_interval_is_that_of_a_regression_on_weekdays():
    chance, today = random.Random(1), date(2026, 7, 9)
    spend = series(39, lambda day: round(chance.uniform(50, 150) * 1e6))
    days = [today - timedelta(days=number) for number in range(28)]
    design = np.array([[day.weekday() == weekday for weekday in range(7)] for day in days], dtype=float)
    amounts = np.array([spend[day] for day in days], dtype=float)
    inverse = np.linalg.inv(design.T @ design)
    means = inverse @ design.T @ amounts
    rest = [date(2026, 7, day).weekday() for day in range(10, 32)]
    counts = np.array([rest.count(weekday) for weekday in range(7)], dtype=float)
    residuals = amounts - design @ means
    variance = (residuals**2).sum() / 21 * (len(rest) + counts @ inverse @ counts)
    correlation = max((residuals[1:] * residuals[:-1]).sum() / (residuals**2).sum(), 0)
    variance *= (1 + correlation) / (1 - correlation)
    found = forecast(spend, today)
    assert found is not None
    assert found.expected == pytest.approx(month_spend(spend, today) + counts @ means)
    assert found.high - found.expected == pytest.approx(T_21 * variance**0.5, rel=1e-4)


@pytest.mark.parametrize(("freedom", "tabulated"), [(7, 1.414924), (10, 1.372184), (21, T_21)])
def test_the_quantile_is_that_of_student(freedom, tabulated):
    assert t_quantile(0.9, freedom) == pytest.approx(tabulated, abs=0.001)


def test_a_short_history_has_no_forecast_and_days_without_a_row_have_no_spend():
    assert forecast(series(13, lambda day: 1), FIRST + timedelta(days=12)) is None
    assert forecast({}, FIRST) is None
    once = forecast({FIRST: 14_000_000}, FIRST + timedelta(days=13))
    assert once is not None
    assert once.expected == 14_000_000 + 3 * 7_000_000
    assert once.low >= 14_000_000  # never below what is spent
