"""The graph: files and settings -> raw/* -> dbt (staging, intermediate, marts) -> published."""

import time
from collections.abc import Iterator

import dagster as dg

from connectors.ads import PLATFORMS
from ingestion.files.inbox import import_inbox
from ingestion.segments.loading import load_landing
from ingestion.segments.retire import retire
from ingestion.settings.raw_tables import store_settings
from orchestration import metadata
from orchestration.models import models
from orchestration.pulling.metadata import ECB, SYNCED, key_of
from orchestration.resources import Warehouse
from serving.publish import publish

OWNERS = ["team:data"]
SETTINGS = {
    "orgs": "One org: its reporting currency, time zone, main lookback window and targets.",
    "sites": "One site and the org it belongs to.",
    "ad_accounts": "One ad account and the org that pays it.",
    "touch_type_windows": "One touch type of an org whose lookback window differs from the org's.",
    "campaign_aliases": "One other name by which links call a campaign.",
    "targets": "One platform or campaign whose targets differ from its org's.",
}
FILES = {
    "interactions": ("interactions", "One touch that its source already knows as one."),
    "conversions": ("conversions", "One conversion reported by another system than the web events."),
    "spend": ("ad_spend", "One day of one ad, or of the finest thing its platform reports."),
    "fees": ("fees", "One agreed cost that no ad platform reports: of a period, or of each conversion."),
    "exchange-rates": ("exchange_rates", "One currency pair and day."),
    "refunds": ("refunds", "One refund or cancellation of an order."),
    "postbacks": ("postbacks", "One status of one transaction, as an affiliate network reported it."),
    "survey-answers": ("survey_answers", "One answer to one question of a survey."),
    "entities": ("entities", "One state of an entity, such as an asset or a licence, from a moment on."),
}
# Webhooks and pixels bring them too: in segments, with the events.
LANDED = ("interactions", "conversions", "refunds", "postbacks", "survey-answers")

PULLED = {
    "ad_spend": [*(key_of(name) for name in PLATFORMS), SYNCED],
    "exchange_rates": [ECB],
}


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            ["raw", table],
            description=description,
            group_name="raw",
            kinds={"yaml", "duckdb"},
            owners=OWNERS,
            skippable=True,
        )
        for table, description in SETTINGS.items()
    ],
    can_subset=True,
)
def settings(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[dg.MaterializeResult]:
    """tributary.yaml as tables, replaced whole."""
    store_settings(warehouse.connection, warehouse.settings)
    rows = metadata.row_counts(warehouse.connection, context.selected_asset_keys)
    for key in sorted(context.selected_asset_keys):
        yield dg.MaterializeResult(asset_key=key, metadata=metadata.of_rows(rows[key]))


SETTINGS_KEYS = [["raw", "orgs"], ["raw", "sites"], ["raw", "ad_accounts"]]


@dg.asset(
    key=["raw", "events"],
    deps=SETTINGS_KEYS,
    description="One web event. Loads what has landed, rows of other kinds too, and what waits in inbox/events/.",
    group_name="raw",
    kinds={"python", "duckdb"},
    owners=OWNERS,
)
def events(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """Segments and files -> raw.events; events beyond `keep_raw_days` -> the archive."""
    home, settings, connection = warehouse.home, warehouse.settings, warehouse.connection
    started = time.monotonic()
    landed = load_landing(connection, home, settings, context.log.info)
    seconds = time.monotonic() - started
    reports = import_inbox(connection, home, settings, "events", context.log.info)
    retired = retire(connection, home, settings)
    return dg.MaterializeResult(
        metadata=metadata.of_segments(landed, seconds)
        | metadata.of_imports(reports)
        | {"retired": retired}
        | metadata.of_raw(connection, context.asset_key)
    )


def raw_asset(kind: str, table: str, description: str) -> dg.AssetsDefinition:
    """The asset that imports what waits in inbox/<kind>/."""

    @dg.asset(
        key=["raw", table],
        deps=[*SETTINGS_KEYS, *([["raw", "events"]] if kind in LANDED else []), *PULLED.get(table, [])],
        description=f"{description} Imports what waits in inbox/{kind}/.",
        group_name="raw",
        kinds={"python", "duckdb"},
        owners=OWNERS,
    )
    def raw(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
        connection = warehouse.connection
        reports = import_inbox(connection, warehouse.home, warehouse.settings, kind, context.log.info)
        return dg.MaterializeResult(
            metadata=metadata.of_imports(reports) | metadata.of_raw(connection, context.asset_key)
        )

    return raw


raw_assets = [events, *(raw_asset(kind, table, description) for kind, (table, description) in FILES.items())]

# What every import, and every pull, writes beside its rows.
import_ledgers = [
    dg.AssetSpec(["raw", table], deps=deps, description=description, group_name="raw", kinds={"duckdb"}, owners=OWNERS)
    for deps, tables in (
        (
            [asset.key for asset in raw_assets],
            {
                "loads": "One import of one file or segment: rows received, loaded, duplicate, failed and limited.",
                "failed_events": "One input row that broke its contract, with the reason.",
                "user_agents": "One user agent, and what it means.",
                "addresses": "One hashed address, and where it is.",
            },
        ),
        (
            [*PULLED["ad_spend"], ["raw", "ad_spend"]],
            {
                "ad_spend_history": "One former state of a row of ad_spend, and what replaced or withdrew it.",
                "pulls": "One pull of one account's days from a platform's API, whatever came of it.",
                "ad_entities": "One state of an account, campaign, ad set, ad or creative, from when until when.",
                "ad_clicks": "One click id and the ad that it belongs to, where the platform tells.",
            },
        ),
    )
    for table, description in tables.items()
]


@dg.asset(
    key="published",
    deps=[key for key in models.keys if key.path[0] == "marts"],
    group_name="published",
    kinds={"duckdb", "parquet"},
    owners=OWNERS,
    freshness_policy=metadata.FRESH_DAILY,
)
def published(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """published/marts.duckdb, a file an org and Parquet, replaced atomically; nothing when a promise is broken."""
    version = publish(warehouse.connection, warehouse.home.published)
    warehouse.end(context, version)
    return dg.MaterializeResult(metadata=metadata.of_publication(warehouse.home, version.rows))
