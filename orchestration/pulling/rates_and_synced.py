"""What is pulled beside the ad platforms: the European Central Bank's rates, and the tables that another tool syncs.

Out: raw.exchange_rates, raw.ad_spend and raw.ad_entities through the contracts that files go through; reports of it.
"""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

import duckdb

from connectors import ecb
from connectors.ads import meta
from ingestion.files.contracts import ContractError
from ingestion.home import Home
from ingestion.loads import LoadReport
from ingestion.settings.model import Settings
from ingestion.spend.exchange_rates import load_exchange_rates
from ingestion.spend.synced.load import SyncReport, sync_source
from ingestion.warehouse import build_lock, connect
from orchestration.pulling.spool import Say, spool

OVERLAP = timedelta(days=7)  # the Bank corrects itself within days
FIRST = date(1999, 1, 4)  # of its rates
WITHOUT_MONEY = timedelta(days=90)  # so far back where nothing is loaded yet that would need a rate


def pull_rates(home: Home, settings: Settings, *, since: date | None, today: date, say: Say) -> LoadReport:
    """The rates of `since` and later, else of all days that lack them; VendorError where the Bank does not answer."""

    def tell(message: str) -> None:
        say(f"ecb: {message}")

    if since is None:
        with build_lock(home, "pull ecb", tell), connect(home) as connection:
            since = first_day_without(connection, today)
    tell(f"rates since {since}")
    with tempfile.TemporaryDirectory(prefix="pull-ecb-", dir=home.temporary) as folder:
        path = Path(folder) / "ecb.ndjson"
        spool(ecb.rates(since, log=tell), path, "rates", tell)
        with build_lock(home, "pull ecb", tell), connect(home) as connection:
            return load_exchange_rates(connection, path, settings)


def first_day_without(connection: duckdb.DuckDBPyConnection, today: date) -> date:
    """From where on rates are wanted: the first day of money; or shortly before the last rate, if there are some."""
    (money,) = connection.execute("""
        select min(day) from (
            select min(date) as day from raw.ad_spend
            union all select min(occurred_at)::date from raw.conversions
            union all select min(occurred_at)::date from raw.events
            union all select min(starts_on) from raw.fees
        )
    """).fetchone() or (None,)
    ((first, last),) = connection.execute(
        "select min(date), max(date) from raw.exchange_rates where base = 'EUR'"
    ).fetchall()
    wanted = max(FIRST, min(money or today, today - WITHOUT_MONEY))
    return last - OVERLAP if last and first - OVERLAP <= wanted else wanted


def pull_synced(home: Home, settings: Settings, *, say: Say) -> tuple[list[SyncReport], list[str]]:
    """Every source of `synced` in tributary.yaml: what was read, and what of it could not be."""
    reports, errors = [], []
    with build_lock(home, "pull synced", say), connect(home) as connection:
        for source in settings.synced:
            try:
                reports.append(
                    sync_source(
                        connection,
                        source,
                        settings,
                        folder=home.root,
                        temporary=home.temporary,
                        purchase_actions=meta.PURCHASES,
                        log=say,
                    )
                )
            except (ContractError, OSError) as error:
                errors.append(f"{source.path}: {error}")
    return reports, errors
