"""What tests of pulls share: platforms on loopback that the real command reaches, and homes that list accounts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from vendors import VENDORS
from vendors.base import Fact, Vendor, serving, some_facts

SECRET = "s3cret-access-token"  # of every platform's access, in place of the fakes' own
LAST = datetime.now(UTC).date() - timedelta(days=3)  # of the facts: over wherever the account is
FIRST = LAST - timedelta(days=2)


def recent_facts() -> list[Fact]:
    """The facts of the fakes, moved to FIRST..LAST: the real command has the real clock."""
    facts = some_facts()
    shift = LAST - max(fact.date for fact in facts)
    return [replace(fact, date=fact.date + shift) for fact in facts]


@contextlib.contextmanager
def platform(name: str, environment: pytest.MonkeyPatch, **state: object) -> Iterator[Vendor]:
    """The fake of a platform, and the environment in which the command finds it, with good credentials."""
    vendor = VENDORS[name](facts=recent_facts(), polls=0, **state)
    vendor.access_token = SECRET
    with serving(vendor):
        environment.setenv(f"TRIBUTARY_{name.upper()}_URL", vendor.url)
        for secret, value in {"access_token": SECRET, **vendor.credentials}.items():
            environment.setenv(f"TRIBUTARY_{name.upper()}_{secret.upper()}", value)
        yield vendor


def listing(home: Path, *accounts: str, more: str = "") -> Path:
    """A home whose tributary.yaml lists the accounts: entries such as `platform: meta, account_id: "1"`."""
    home.mkdir(exist_ok=True)
    lines = [f"  - {{org: shop, timezone: Europe/Berlin, {account}}}" for account in accounts]
    listed = "\n".join(["ad_accounts:", *lines]) if lines else ""
    org = "orgs:\n  - {id: shop, currency: EUR, timezone: Europe/Berlin}\n"
    (home / "tributary.yaml").write_text(f"{org}{listed}\n{more}\n")
    return home


def rows(home: Path, sql: str) -> list[tuple]:
    """Rows of the warehouse, which nobody holds."""
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def spend(home: Path) -> dict[date, int]:
    """Micros a day, of the finest rows."""
    return dict(rows(home, "select date, sum(spend_micros)::bigint from raw.ad_spend where level is null group by 1"))


def true_spend(vendor: Vendor) -> dict[date, int]:
    return {day: sum(f.spend_micros for f in vendor.facts if f.date == day) for day in {f.date for f in vendor.facts}}
