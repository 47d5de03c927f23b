"""Days as platforms want them: spans that one request may ask for, and midnights of a time zone. In and out: dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def spans(start: date, end: date, *, days: int) -> Iterator[tuple[date, date]]:
    """start..end (both included) in pieces of at most so many days, in order."""
    while start <= end:
        last = min(end, start + timedelta(days=days - 1))
        yield start, last
        start = last + timedelta(days=1)


def midnight(day: date, timezone: str) -> datetime:
    """The instant at which the day begins in the zone, UTC: days of 23 and 25 hours included."""
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)


def today(now: datetime, timezone: str) -> date:
    """The day that it is in the zone."""
    return now.astimezone(ZoneInfo(timezone)).date()
