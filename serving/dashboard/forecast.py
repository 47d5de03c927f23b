"""Forecast the spend at a month's end from the last four weeks.

In: spend by day. Out: Forecast, with the interval that holds the outcome in 8 of 10 cases.
"""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import sqrt
from statistics import NormalDist, fmean

HISTORY_DAYS = 28  # four of each weekday
FEWEST_DAYS = 14
CONFIDENCE = 0.8
MOST_CORRELATION = 0.8  # four weeks cannot tell more from a change of level


@dataclass(frozen=True)
class Forecast:
    """Spend of a whole month, in micros."""

    expected: int
    low: int
    high: int


def forecast(spend: Mapping[date, int], today: date) -> Forecast | None:
    """Return the spend of today's month at its end; None with fewer than 14 days since the first spend.

    spend: micros by day up to today; a missing day after the first one has no spend. Each remaining day is expected to
    spend the mean of its weekday over the last 28 days. With n days of history, of which n_w are of weekday w, and h
    remaining days, of which h_w are of weekday w, the sum of the remaining days has the prediction interval

        sum ± t(0.9, n - 7) · s · sqrt((h + Σ h_w² / n_w) · (1 + r) / (1 - r)),

    where s² = Σ e² / (n - 7) of the residuals e, each day less the mean of its weekday, and r is the correlation of e
    with that of the day before, from 0 to 0.8. Without r this is the interval of a regression on weekdays: the noise of
    h days, and the error of the means (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd edition,
    section 7.9). The last factor widens it where high days follow high days: sums of correlated values vary so much
    more (Wilks, Statistical Methods in the Atmospheric Sciences, on the effective sample size). It knows no planned
    change.
    """
    first = max(min(spend, default=today), today - timedelta(days=HISTORY_DAYS - 1))
    history = [first + timedelta(days=number) for number in range((today - first).days + 1)]
    if len(history) < FEWEST_DAYS:
        return None
    by_weekday: dict[int, list[int]] = {}
    for day in history:
        by_weekday.setdefault(day.weekday(), []).append(spend.get(day, 0))
    means = {weekday: fmean(values) for weekday, values in by_weekday.items()}
    freedom = len(history) - len(means)
    residuals = [spend.get(day, 0) - means[day.weekday()] for day in history]
    squares = sum(residual**2 for residual in residuals)
    lagged = sum(before * after for before, after in pairwise(residuals))
    correlation = min(max(lagged / squares, 0), MOST_CORRELATION) if squares else 0
    variance = squares / freedom * (1 + correlation) / (1 - correlation)
    last = month_end(today)
    remaining = Counter((today + timedelta(days=number)).weekday() for number in range(1, (last - today).days + 1))
    spent = month_spend(spend, today)
    expected = spent + sum(means[weekday] * days for weekday, days in remaining.items())
    doubt = remaining.total() + sum(days**2 / len(by_weekday[weekday]) for weekday, days in remaining.items())
    error = t_quantile((1 + CONFIDENCE) / 2, freedom) * sqrt(variance * doubt)
    return Forecast(round(expected), round(max(spent, expected - error)), round(expected + error))


def month_spend(spend: Mapping[date, int], today: date) -> int:
    """Return the spend from the first of today's month up to today."""
    return sum(amount for day, amount in spend.items() if day.replace(day=1) == today.replace(day=1) and day <= today)


def month_end(day: date) -> date:
    """Return the last day of a day's month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def t_quantile(probability: float, freedom: int) -> float:
    """Return a quantile of Student's t, by the expansion of Abramowitz and Stegun, 26.7.5; exact to 0.001 from 7 on."""
    z = NormalDist().inv_cdf(probability)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
