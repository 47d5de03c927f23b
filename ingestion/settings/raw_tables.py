"""Store tributary.yaml in the warehouse: raw.orgs, raw.sites, raw.ad_accounts, raw.campaign_aliases and so on.

In: Settings and a connection to the warehouse. Out: the tables with new rows, replaced in one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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
                "rollup_windows": org.rollup_windows,
                "default_attribution_model": org.attribution_model,
                "target_cpa_micros": _micros(org.targets.cpa),
                "target_roas": org.targets.roas,
                "ignored_referrers": [domain.lower() for domain in org.ignored_referrers],
                "half_life_days": org.half_life_days,
                "first_touch_percent": org.first_touch_percent,
                "last_touch_percent": org.last_touch_percent,
                "direct": org.direct,
                "path_transform": org.path_transform,
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
            {
                "org_id": org.id,
                "touch_type": touch_type,
                "lookback_days": windows.get(touch_type),
                "credit_percent": credits.get(touch_type, 100),
            }
            for org in settings.orgs
            for windows in [_lowered(org.lookback_days_by_touch_type)]
            for credits in [_lowered(org.credit_percent_by_touch_type)]
            for touch_type in windows | credits
        ],
        "conversion_definitions": list(_definition_rows(settings)),
        "channel_weights": [
            {
                "org_id": experiment.org,
                "attribution_model": "lift_adjusted",
                "channel": experiment.channel,
                "valid_from": experiment.from_,
                "valid_until": experiment.to,
                "weight": experiment.multiplier,
            }
            for experiment in settings.experiments
        ]
        + [
            {
                "org_id": None,
                "attribution_model": model,
                "channel": channel,
                "valid_from": None,
                "valid_until": None,
                "weight": weight,
            }
            for model, weights in settings.weight_models.items()
            for channel, weight in weights.items()
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


def _definition_rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield the definitions of each org in their order."""
    for org in settings.orgs:
        definitions = [definition for definition in settings.conversion_definitions if definition.org == org.id]
        for number, definition in enumerate(definitions, 1):
            source = (
                "event" if definition.event_types else "interaction" if definition.interaction_types else "conversion"
            )
            types = definition.event_types or definition.interaction_types or definition.conversion_types
            yield {
                "org_id": org.id,
                "conversion_type": definition.name,
                "number": number,
                "source": source,
                "source_types": [name.lower() for name in types] if source == "interaction" and types else types,
                "site_ids": definition.sites,
                "properties": json.dumps(definition.properties) if definition.properties else None,
                "min_value_micros": _micros(definition.min_value),
                "is_first_only": definition.first_only,
                "value_micros": _micros(definition.value),
                "lookback_days": definition.lookback_days,
                "touches": definition.touches,
            }


def _lowered(by_type: Mapping[str, int]) -> dict[str, int]:
    return {touch_type.lower(): number for touch_type, number in by_type.items()}


def _micros(amount: float | None) -> int | None:
    return None if amount is None else int((Decimal(str(amount)) * 1_000_000).to_integral_value())
