"""Pull the exchange rates of the European Central Bank. In: a first day, or none. Out: raw.exchange_rates."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

from connectors import ecb
from ingestion.home import Home
from ingestion.loads import LoadReport
from ingestion.settings.model import Settings
from ingestion.spend.exchange_rates import load_exchange_rates
from ingestion.sql import Connection, scalar
from ingestion.warehouse import build_lock, connect
from orchestration.pulling.fetch import Log, write_rows

OVERLAP = timedelta(days=7)  # the Bank corrects rates within days
FIRST_DAY = date(1999, 1, 4)  # of the Bank's rates
DAYS_WITHOUT_MONEY = timedelta(days=90)  # of rates while no money is loaded


def pull_rates(home: Home, settings: Settings, *, since: date | None, today: date, log: Log) -> LoadReport:
    """Load the rates from `since` on, by default from the first day without one. VendorError if the Bank fails."""

    def progress(message: str) -> None:
        log(f"ecb: {message}")

    if since is None:
        with build_lock(home, "pull ecb", progress), connect(home) as connection:
            since = first_missing_day(connection, today)
    progress(f"rates since {since}")
    with tempfile.TemporaryDirectory(prefix="pull-ecb-", dir=home.temporary) as folder:
        path = Path(folder) / "ecb.ndjson"
        write_rows(ecb.rates(since, log=progress), path, "rates", progress)
        with build_lock(home, "pull ecb", progress), connect(home) as connection:
            return load_exchange_rates(connection, path, settings)


def first_missing_day(connection: Connection, today: date) -> date:
    """Return the first day with money, or, if that day has rates, a few days before the last rate."""
    money = scalar(
        connection,
        """
        select min(day) from (
            select min(date) as day from raw.ad_spend
            union all select min(occurred_at)::date from raw.conversions
            union all select min(occurred_at)::date from raw.events
            union all select min(starts_on) from raw.fees
        )
        """,
    )
    ((first, last),) = connection.execute(
        "select min(date), max(date) from raw.exchange_rates where base = 'EUR'"
    ).fetchall()
    wanted = max(FIRST_DAY, min(money or today, today - DAYS_WITHOUT_MONEY))
    missing: date = last - OVERLAP if last and first - OVERLAP <= wanted else wanted
    return missing
