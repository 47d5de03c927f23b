"""Days as platforms want them: spans that one request may ask for, and midnights of a time zone. In and out: dates.

A zone that is not known is UTC.
"""

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


def midnight(day: date, timezone: str | None) -> datetime:
    """The instant at which the day begins in the zone, as its clocks show it: where they skip midnight, at one."""
    zone = ZoneInfo(timezone or "UTC")
    return datetime.combine(day, time(), zone).astimezone(UTC).astimezone(zone)


def today(now: datetime, timezone: str | None) -> date:
    """The day that it is in the zone."""
    return now.astimezone(ZoneInfo(timezone or "UTC")).date()
