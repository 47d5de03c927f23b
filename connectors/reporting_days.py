"""Date ranges and midnights in an ad account's time zone.

In: dates, IANA time zones (None is UTC). Out: the ranges that one request may cover, instants.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def split_range(start: date, end: date, *, days: int) -> Iterator[tuple[date, date]]:
    """Split start..end into ranges of at most so many days, in order. Both ends are included everywhere."""
    while start <= end:
        last = min(end, start + timedelta(days=days - 1))
        yield start, last
        start = last + timedelta(days=1)


def months_before(day: date, months: int) -> date:
    """Return the same day of an earlier month. A day that the month lacks falls into the next: 31 is then 1, 2 or 3."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, 1) + timedelta(days=day.day - 1)


def midnight(day: date, timezone: str | None) -> datetime:
    """Return the instant at which the day begins: one o'clock where the zone's clocks skip midnight."""
    zone = ZoneInfo(timezone or "UTC")
    return datetime.combine(day, time(), zone).astimezone(UTC).astimezone(zone)


def local_date(instant: datetime, timezone: str | None) -> date:
    """Return the date of an instant in the time zone."""
    return instant.astimezone(ZoneInfo(timezone or "UTC")).date()
