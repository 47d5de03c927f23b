"""The sections of tributary.yaml as data: their keys, the check of each value, and the keys that identify an entry.

In: checks of single values. Out: SECTIONS (lists of entries), MAPPINGS (one entry each), with EXAMPLES for messages.
"""

from __future__ import annotations

from typing import NamedTuple

from ingestion.files.contracts import CONTRACTS
from ingestion.settings import values
from ingestion.settings.values import Check


class Section(NamedTuple):
    """One list of entries."""

    required: tuple[str, ...]  # keys
    checks: dict[str, Check]  # key -> check of its value
    identity: tuple[str, ...]  # the keys that identify an entry


MAPPINGS: dict[str, dict[str, Check]] = {
    "collector": {
        "salt_hours": values.count,
        "keep_raw_days": values.count,
        "geo_database": values.text,
        "min_free_mb": values.size,
        "max_event_kb": values.count,
        "max_value": values.amount,
    },
    "history": {"keep_days": values.count},
    "files": {"unknown_sites": values.one_of("warn", "reject")},
    "published": {"readers": values.one_of("owner", "group", "everyone")},
    "log_in": {"issuer": values.issuer, "client_id": values.text, "client_secret": values.variable},
}
EXAMPLES = {
    "collector": "{salt_hours: 24}",
    "history": "{keep_days: 30}",
    "files": "{unknown_sites: reject}",
    "published": "{readers: group}",
    "log_in": "{issuer: https://accounts.google.com, client_id: ..., client_secret: TRIBUTARY_LOG_IN_SECRET}",
}

SECTIONS: dict[str, Section] = {
    "orgs": Section(
        required=("id", "currency"),
        checks={
            "id": values.identifier,
            "currency": values.currency,
            "timezone": values.zone,
            "lookback_days": values.days,
            "rollup_windows": values.windows,
            "attribution_model": values.text,
            "targets": values.targets,
            "lookback_days_by_touch_type": values.days_by_type,
            "credit_percent_by_touch_type": values.percent_by_type,
            "half_life_days": values.amount,
            "first_touch_percent": values.percent,
            "last_touch_percent": values.percent,
            "direct": values.one_of("include", "exclude", "last_resort"),
            "path_transform": values.one_of("unique", "exposure", "first", "frequency", "remove_direct"),
            "ignored_referrers": values.domains,
        },
        identity=("id",),
    ),
    "sites": Section(
        required=("id", "org"),
        checks={
            "id": values.identifier,
            "org": values.text,
            "public_key": values.text,
            "domains": values.domains,
            "origins": values.origins,
            "events_per_minute": values.count,
            "address_events_per_minute": values.count,
            "mb_per_minute": values.count,
            "max_event_age_days": values.days,
            "sample_percent": values.one_of(*values.SAMPLES),
            "cookieless": values.flag,
            "exclude_bots": values.flag,
            "exclude_suspicious": values.flag,
            "count_own_links": values.flag,
        },
        identity=("id",),
    ),
    "ad_accounts": Section(
        required=("platform", "account_id", "org"),
        checks={
            "platform": values.text,
            "account_id": values.text,
            "org": values.text,
            "name": values.text,
            "currency": values.currency,
            "timezone": values.zone,
            "manager": values.text,
            "repull_days": values.days,
        },
        identity=("platform", "account_id"),
    ),
    "synced": Section(
        required=("path", "org"),
        checks={"path": values.text, "org": values.text, "tool": values.one_of("fivetran", "airbyte")},
        identity=("path",),
    ),
    "campaign_aliases": Section(
        required=("org", "platform", "name", "campaign_id"),
        checks={"org": values.text, "platform": values.text, "name": values.text, "campaign_id": values.text},
        identity=("org", "platform", "name"),
    ),
    "shared_ids": Section(
        required=("org", "id"), checks={"org": values.text, "id": values.text}, identity=("org", "id")
    ),
    "imports": Section(
        required=("name",),
        checks={
            "name": values.identifier,
            "files": values.text,
            "layout": values.text,
            "kind": values.one_of(*CONTRACTS),
            "map": values.texts,
            "set": values.texts,
            "where": values.text,
            "org": values.text,
            "site": values.text,
            "timezone": values.zone,
            "decimal": values.one_of("point", "comma"),
            "dayfirst": values.flag,
        },
        identity=("name",),
    ),
    "targets": Section(
        required=("org", "platform"),
        checks={
            "org": values.text,
            "platform": values.text,
            "campaign_id": values.text,
            "cpa": values.amount,
            "roas": values.amount,
        },
        identity=("org", "platform", "campaign_id"),
    ),
    "budgets": Section(
        required=("org", "platform", "monthly"),
        checks={
            "org": values.text,
            "platform": values.text,
            "campaign_id": values.text,
            "monthly": values.amount,
        },
        identity=("org", "platform", "campaign_id"),
    ),
    "people": Section(
        required=("email", "orgs", "role"),
        checks={
            "email": values.email,
            "orgs": values.orgs,
            "role": values.one_of("viewer", "analyst", "admin"),
        },
        identity=("email",),
    ),
    "conversion_definitions": Section(
        required=("org", "name"),
        checks={
            "org": values.text,
            "name": values.conversion_type,
            "conversion_types": values.names,
            "event_types": values.names,
            "interaction_types": values.names,
            "sites": values.names,
            "properties": values.texts,
            "min_value": values.amount,
            "first_only": values.flag,
            "value": values.amount,
            "lookback_days": values.days,
            "touches": values.one_of("before", "all", "since_previous"),
        },
        identity=("org", "name"),
    ),
    "experiments": Section(
        required=("org", "channel", "multiplier"),
        checks={
            "org": values.text,
            "channel": values.text,
            "multiplier": values.multiplier,
            "from": values.day,
            "to": values.day,
        },
        identity=("org", "channel", "from", "to"),
    ),
    "event_types": Section(
        required=("type",),
        checks={"type": values.event_type, "properties": values.properties},
        identity=("type",),
    ),
    "webhooks": Section(
        required=("kind", "site", "secret"),
        checks={"kind": values.one_of("shopify", "stripe"), "site": values.text, "secret": values.variable},
        identity=("kind", "site"),
    ),
    "networks": Section(
        required=("name", "kind", "site", "secret"),
        checks={
            "name": values.text,
            "kind": values.one_of("everflow", "tune", "trackier", "generic"),
            "site": values.text,
            "secret": values.variable,
            "currency": values.currency,
            "parameters": values.parameters,
            "statuses": values.statuses,
            "timezone": values.zone,
            "patterns": values.patterns,
        },
        identity=("name", "site"),
    ),
}
