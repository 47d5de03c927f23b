"""The versions of the platforms' APIs that Tributary uses, and their ends.

In: ads/api_versions.csv, one line a platform with its source. Out: notices of versions that end soon.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import msgspec

NOTICE_DAYS = 90  # before the end


class ApiVersion(msgspec.Struct, frozen=True):
    """A version, and the first day on which the platform rejects it."""

    version: str
    ends_on: date | None  # None: the platform has announced no end
    basis: str  # why the day is that: an announcement, or an estimate from earlier versions
    source: str


def _read() -> dict[str, ApiVersion]:
    with (Path(__file__).parent / "ads" / "api_versions.csv").open(encoding="utf-8", newline="") as file:
        return {row.pop("platform"): _version(**row) for row in csv.DictReader(file)}


def _version(version: str, ends_on: str, basis: str, source: str) -> ApiVersion:
    return ApiVersion(version, date.fromisoformat(ends_on) if ends_on else None, basis, source)


API_VERSIONS = _read()


def ending_notice(platform: str, label: str, today: date) -> str | None:
    """Return a notice if the version of a platform's API ends within NOTICE_DAYS days, or has ended."""
    found = API_VERSIONS.get(platform)
    if found is None or found.ends_on is None or found.ends_on > today + timedelta(days=NOTICE_DAYS):
        return None
    verb = "ends" if found.ends_on > today else "ended"
    return (
        f"{label}: version {found.version} of its API {verb} on {found.ends_on} ({found.basis}). "
        f"Install a newer version of Tributary. See {found.source}"
    )
