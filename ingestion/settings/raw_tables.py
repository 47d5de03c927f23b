"""Settings -> raw.orgs, raw.sites, raw.ad_accounts, raw.campaign_aliases and so on.

In: Settings and a connection to the warehouse. Out: the tables replaced whole, in one transaction.
"""

from __future__ import annotations

from decimal import Decimal

import duckdb

from ingestion.settings.model import Settings


def land_settings(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Replace the raw tables of the settings whole, in one transaction."""
    tables: dict[str, list[tuple]] = {
        "orgs": [
            (o.id, o.currency, o.timezone, o.lookback_days, _micros(o.targets.cpa), o.targets.roas)
            for o in settings.orgs
        ],
        "sites": [
            (s.id, s.org, s.public_key, [d.lower() for d in s.domains], s.exclude_bots, s.exclude_suspicious)
            for s in settings.sites
        ],
        "ad_accounts": [
            (a.platform, a.account_id, a.org, a.name, a.currency, a.timezone) for a in settings.ad_accounts
        ],
        "campaign_aliases": [(a.org, a.platform, a.name, a.campaign_id) for a in settings.campaign_aliases],
        "touch_type_windows": [
            (o.id, kind.lower(), days) for o in settings.orgs for kind, days in o.lookback_days_by_touch_type.items()
        ],
        "targets": [(t.org, t.platform, t.campaign_id, _micros(t.cpa), t.roas) for t in settings.targets],
    }
    connection.execute("begin")
    try:
        for table, rows in tables.items():
            connection.execute(f"delete from raw.{table}")
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(f"insert into raw.{table} values ({marks})", rows)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def _micros(amount: float | None) -> int | None:
    return None if amount is None else int((Decimal(str(amount)) * 1_000_000).to_integral_value())
