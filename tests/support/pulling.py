"""Fakes of platforms that the real command can pull from, and homes that list accounts.

In: a platform's name, entries of `ad_accounts`. Out: a served Vendor, a home folder, stored rows.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.ads.meta import VERSION
from tests.support.vendors import VENDORS
from tests.support.vendors.base import Fact, Vendor, serving, some_facts
from tests.support.vendors.meta import error

SECRET = "s3cret-access-token"  # the access token of every fake
LAST = datetime.now(UTC).date() - timedelta(days=3)  # the last day of the facts: past in every time zone
FIRST = LAST - timedelta(days=2)

META = 'platform: meta, account_id: "1001", name: Shop, currency: EUR'
GOOGLE = 'platform: google, account_id: "1001", currency: EUR'
DAYS = ("--from", FIRST, "--to", LAST)


def recent_facts() -> list[Fact]:
    """Return the facts of the fakes, moved to FIRST..LAST, because the real command uses the real clock."""
    facts = some_facts()
    shift = LAST - max(fact.date for fact in facts)
    return [replace(fact, date=fact.date + shift) for fact in facts]


@contextlib.contextmanager
def platform(
    name: str, environment: pytest.MonkeyPatch, kind: type[Vendor] | None = None, **state: object
) -> Iterator[Vendor]:
    """Serve the fake of a platform, and set the environment so that the command finds it with valid credentials."""
    vendor = (kind or VENDORS[name])(facts=recent_facts(), polls=0, **state)
    vendor.access_token = SECRET
    with serving(vendor):
        environment.setenv(f"TRIBUTARY_{name.upper()}_URL", vendor.url)
        for secret, value in {"access_token": SECRET, **vendor.credentials}.items():
            environment.setenv(f"TRIBUTARY_{name.upper()}_{secret.upper()}", value)
        yield vendor


def listing(home: Path, *accounts: str, more: str = "") -> Path:
    """Create a home with the accounts in tributary.yaml: entries such as `platform: meta, account_id: "1"`."""
    home.mkdir(exist_ok=True)
    lines = [f"  - {{org: shop, timezone: Europe/Berlin, {account}}}" for account in accounts]
    entries = "\n".join(["ad_accounts:", *lines]) if lines else ""
    org = "orgs:\n  - {id: shop, currency: EUR, timezone: Europe/Berlin}\n"
    (home / "tributary.yaml").write_text(f"{org}{entries}\n{more}\n")
    return home


def rows(home: Path, sql: str) -> list[tuple]:
    """Return rows of the warehouse, which no other process uses."""
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def spend(home: Path) -> dict[date, int]:
    """Return the spend of the finest rows in micros, by day."""
    return dict(rows(home, "select date, sum(spend_micros)::bigint from raw.ad_spend where level is null group by 1"))


def true_spend(vendor: Vendor) -> dict[date, int]:
    """Return the spend of the vendor's facts in micros, by day."""
    return {day: sum(f.spend_micros for f in vendor.facts if f.date == day) for day in {f.date for f in vendor.facts}}


class Agency(VENDORS["meta"]):
    """Meta with any number of accounts: each account that is requested exists, with the same facts."""

    def routes(self) -> list[Route]:
        self.account_id = "{account}"
        self.requested_accounts: list[str] = []  # the accounts with requested reports
        self.absurd: set[str] = set()  # accounts that report impossible amounts
        self.absurd_budgets: set[str] = set()
        self.accounts_faults: dict[str, Callable[[], Response]] = {}  # each replaces the account's first response
        return [Route(f"/{VERSION}/act_{{account}}", self.account), *super().routes()]

    def is_delayed(self, account: str) -> bool:
        """Return whether to delay the account's reports."""
        return False

    def fault_response(self, request: Request) -> Response | None:
        fault = self.accounts_faults.pop(request.url.path.split("/")[2].removeprefix("act_"), None)
        return fault() if fault else super().fault_response(request)

    def throttled(self) -> Response:
        response = super().throttled()
        self.quiet_until = None  # throttles this account only
        return response

    async def account(self, request: Request) -> Response:
        return JSONResponse({**self.shown_account(), "account_id": request.path_params["account"]})

    async def start(self, request: Request) -> Response:
        account = request.path_params["account"]
        self.requested_accounts.append(account)
        for _ in range(3000):  # 30 seconds at most, so that a wrong test fails
            if not self.is_delayed(account):
                break
            await asyncio.sleep(0.01)
        else:
            return error(100, "The report was delayed for too long.")
        response = await super().start(request)
        if account in self.absurd:
            for row in self.jobs[-1]["rows"]:
                row["spend"] = "99999999999999.00"
        return response

    def paged(self, request: Request, rows: list[dict[str, object]]) -> Response:
        if request.url.path.endswith("/campaigns") and request.path_params["account"] in self.absurd_budgets:
            rows = [{**row, "daily_budget": "9999999999999999"} for row in rows]
        return super().paged(request, rows)


def left_behind(home: Path) -> list[str]:
    """Return the names of temporary files, without locks."""
    return [path.name for path in (home / "tmp").iterdir() if path.suffix != ".lock"]
