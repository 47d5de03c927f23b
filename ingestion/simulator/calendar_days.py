"""The calendar of a simulated period: traffic by day, the promotion, the broken checkout, and the days of sendings.

In: the first day and the number of days. Out: a Calendar.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from ingestion.simulator.campaigns import SERIES, Series
from ingestion.simulator.world import ORGS

Array = np.ndarray[Any, np.dtype[Any]]
WEEK = 7
THURSDAY = 3
BY_WEEKDAY = np.array([1.10, 1.02, 0.98, 1.00, 0.86, 0.78, 1.26])  # traffic, Monday first
PROMOTION_TRAFFIC = 1.45  # a factor
BROKEN_SITE = "northwind-shop"  # its checkout fails on phones in the bad week


class Sending(NamedTuple):
    """One sending of a series to the subscribers of an org."""

    org: int  # position in ORGS
    series: Series
    name: str  # unique within the org; in the links as utm_content
    day: int  # position in the period
    time: float  # epoch seconds


class Calendar(NamedTuple):
    """What is special about each day of the period."""

    days: list[date]
    begins: Array  # epoch seconds at which each org's reporting days begin: [org, day], with the day after the last
    promoted: Array  # whether the day is in the promotion
    broken: Array  # whether the checkout of BROKEN_SITE fails on phones
    traffic: Array  # relative to a usual day
    sendings: list[Sending]


def calendar_of(start: date, days: int) -> Calendar:
    """Return the calendar: a promotion of a week from a Thursday in the middle, a bad week from a Monday after it."""
    each = [start + timedelta(day) for day in range(days)]
    weekdays = np.array([day.weekday() for day in each])
    promoted = _week(weekdays, days // 2 - 3, THURSDAY)
    broken = _week(weekdays, days * 3 // 4, 0)
    begins = day_starts(start, days)
    return Calendar(
        days=each,
        begins=begins,
        promoted=promoted,
        broken=broken,
        traffic=BY_WEEKDAY[weekdays] * np.where(promoted, PROMOTION_TRAFFIC, 1),
        sendings=[
            Sending(org, series, _name(series, each[day]), int(day), begins[org, day] + series.hour * 3_600)
            for org in range(len(ORGS))
            for series in SERIES
            for day in _days_of(series, weekdays, promoted)
        ],
    )


def day_starts(start: date, days: int) -> Array:
    """Return the epoch second at which each org's reporting days begin: [org, day], with the day after the last."""
    zones = [ZoneInfo(org["timezone"]) for org in ORGS]
    each = [start + timedelta(day) for day in range(days + 1)]
    return np.array(
        [[datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() for day in each] for zone in zones]
    )


def _week(weekdays: Array, earliest: int, weekday: int) -> Array:
    """Return whether each day is in the week that begins on the first such weekday from `earliest` on, if any."""
    position = np.arange(len(weekdays))
    begins = np.flatnonzero((position >= earliest) & (weekdays == weekday))
    first = begins[0] if len(begins) else len(weekdays)
    return (position >= first) & (position < first + WEEK)


def _days_of(series: Series, weekdays: Array, promoted: Array) -> Array:
    """Return the positions of the days on which a series is sent."""
    chosen = promoted if series.weekday is None else weekdays == series.weekday
    return np.flatnonzero(chosen)[:: series.every]


def _name(series: Series, day: date) -> str:
    return f"{series.campaign.lower().replace(' ', '-')}-{day}"
