"""Store tributary.yaml in the warehouse: raw.orgs, raw.sites, raw.ad_accounts, raw.campaign_aliases and so on.

In: Settings and a connection to the warehouse. Out: the tables with new rows, replaced in one transaction.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ingestion.settings.model import Settings
from ingestion.sql import Connection, transaction


def store_settings(connection: Connection, settings: Settings) -> None:
    """Replace all rows of the settings' tables, in one transaction."""
    with transaction(connection):
        for table, rows in _rows(settings).items():
            connection.execute(f"delete from raw.{table}")
            if rows:
                columns = ", ".join(rows[0])
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(
                    f"insert into raw.{table} ({columns}) values ({marks})", [list(row.values()) for row in rows]
                )


def _rows(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each table: column -> value."""
    return {
        "orgs": [
            {
                "org_id": org.id,
                "currency": org.currency,
                "timezone": org.timezone,
                "lookback_days": org.lookback_days,
                "default_attribution_model": org.attribution_model,
                "target_cpa_micros": _micros(org.targets.cpa),
                "target_roas": org.targets.roas,
                "ignored_referrers": [domain.lower() for domain in org.ignored_referrers],
            }
            for org in settings.orgs
        ],
        "sites": [
            {
                "site_id": site.id,
                "org_id": site.org,
                "public_key": site.public_key,
                "domains": [domain.lower() for domain in site.domains],
                "exclude_bots": site.exclude_bots,
                "exclude_suspicious": site.exclude_suspicious,
                "count_own_links": site.count_own_links,
            }
            for site in settings.sites
        ],
        "ad_accounts": [
            {
                "platform": account.platform,
                "account_id": account.account_id,
                "org_id": account.org,
                "name": account.name,
                "currency": account.currency,
                "timezone": account.timezone,
            }
            for account in settings.ad_accounts
        ],
        "campaign_aliases": [
            {
                "org_id": alias.org,
                "platform": alias.platform,
                "name": alias.name,
                "campaign_id": alias.campaign_id,
            }
            for alias in settings.campaign_aliases
        ],
        "shared_ids": [{"org_id": shared.org, "id": shared.id} for shared in settings.shared_ids],
        "touch_type_windows": [
            {"org_id": org.id, "touch_type": touch_type.lower(), "lookback_days": days}
            for org in settings.orgs
            for touch_type, days in org.lookback_days_by_touch_type.items()
        ],
        "targets": [
            {
                "org_id": target.org,
                "platform": target.platform,
                "campaign_id": target.campaign_id,
                "cpa_micros": _micros(target.cpa),
                "roas": target.roas,
            }
            for target in settings.targets
        ],
    }


def _micros(amount: float | None) -> int | None:
    return None if amount is None else int((Decimal(str(amount)) * 1_000_000).to_integral_value())
