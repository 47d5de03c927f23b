"""Assets before and after the dbt models: raw tables and the published files.

In: tributary.yaml, segments, files in the inbox. Out: raw/*, and published/ from the marts.
"""

import time
from collections.abc import Iterator, Sequence

import dagster as dg

from ingestion.files.inbox import ANY_KIND, import_inbox, inbox_folder, rejected_files
from ingestion.loads import LoadReport
from ingestion.segments.loading import load_landing
from ingestion.segments.retire import retire
from ingestion.settings.raw_tables import store_settings
from orchestration import metadata
from orchestration.models import models
from orchestration.resources import Warehouse
from orchestration.unloaded_files import load_all
from serving.publishing.publish import publish

OWNERS = ["team:data"]
SETTINGS = {
    "orgs": "One org: its reporting currency, time zone, main lookback window and targets.",
    "sites": "One site and the org it belongs to.",
    "ad_accounts": "One ad account and the org that pays for it.",
    "touch_type_windows": "One touch type of an org with a lookback window or a weight of its own.",
    "conversion_definitions": "One conversion type of an org.",
    "channel_weights": "One channel and period of an attribution model whose weights the user gives.",
    "campaign_aliases": "One name that links use for a campaign.",
    "shared_ids": "One customer id or e-mail address that may join any number of visitors.",
    "targets": "One platform or campaign with its own targets.",
}
FILES = {
    "interactions": ("interactions", "One touch that its source reports as a touch."),
    "conversions": ("conversions", "One conversion of another system than the web events."),
    "spend": ("ad_spend", "One day of an ad, or of the finest level that its platform reports."),
    "fees": ("fees", "One agreed cost that no ad platform reports, by period or by conversion."),
    "exchange-rates": ("exchange_rates", "One exchange rate of a currency pair on a day."),
    "refunds": ("refunds", "One refund or cancellation of an order."),
    "postbacks": ("postbacks", "One status of a transaction that an affiliate network reported."),
    "survey-answers": ("survey_answers", "One answer to a question of a survey."),
    "entities": ("entities", "One state of an entity, such as an asset or a licence, from a time on."),
}
# Webhooks and pixels send these kinds too. The events asset loads them, because segments hold all kinds.
LANDED = ("interactions", "conversions", "refunds", "postbacks", "survey-answers")


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
def settings(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[dg.MaterializeResult[None]]:
    """Replace the tables of tributary.yaml."""
    store_settings(warehouse.connection, warehouse.settings)
    rows = metadata.row_counts(warehouse.connection, context.selected_asset_keys)
    for key in sorted(context.selected_asset_keys):
        yield dg.MaterializeResult(asset_key=key, metadata=metadata.of_rows(rows[key]))


INBOX = dg.AssetKey("inbox")
SETTINGS_KEYS = [["raw", "orgs"], ["raw", "sites"], ["raw", "ad_accounts"]]


REJECTED = dg.AssetCheckSpec(
    "no_rejected_files", asset=INBOX, description="inbox/rejected/ has no file: a layout fits each file of the inbox."
)


@dg.asset(
    key=INBOX,
    deps=SETTINGS_KEYS,
    description="One file that somebody put into inbox/. Its header decides which kinds of rows it has.",
    group_name="raw",
    kinds={"python", "duckdb"},
    owners=OWNERS,
    check_specs=[REJECTED],
)
def inbox(
    context: dg.AssetExecutionContext, warehouse: Warehouse
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Import the files in inbox/, and move those that cannot be imported to inbox/rejected/."""
    reports = import_waiting(context, warehouse, ANY_KIND)
    rejected = rejected_files(warehouse.home)
    yield dg.MaterializeResult(metadata=metadata.of_imports(reports))
    yield dg.AssetCheckResult(
        check_name=REJECTED.name,
        passed=not rejected,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"files": metadata.of_reasons(rejected)},
    )


@dg.asset(
    key=["raw", "events"],
    deps=[*SETTINGS_KEYS, INBOX],
    description="One web event. Loads segments of the collector, with rows of other kinds, and files in inbox/events/.",
    group_name="raw",
    kinds={"python", "duckdb"},
    owners=OWNERS,
)
def events(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """Load segments and files, and move events older than `keep_raw_days` to the archive."""
    home, settings, connection = warehouse.home, warehouse.settings, warehouse.connection
    started = time.monotonic()
    landed = load_all(
        home, home.landing, lambda: load_landing(connection, home, settings, context.log.info), context.log.error
    )
    seconds = time.monotonic() - started
    reports = import_waiting(context, warehouse, "events")
    archived = retire(connection, home, settings)
    return dg.MaterializeResult(
        metadata=metadata.of_segments(landed, seconds)
        | metadata.of_imports(reports)
        | {"archived": archived}
        | metadata.of_raw(connection, context.asset_key)
    )


def import_waiting(context: dg.AssetExecutionContext, warehouse: Warehouse, kind: str) -> list[LoadReport]:
    """Import the files of one of INBOXES. One of inbox/<kind>/ that cannot be imported stays and stops nothing."""
    home, settings, connection = warehouse.home, warehouse.settings, warehouse.connection
    return load_all(
        home,
        inbox_folder(home, kind),
        lambda: import_inbox(connection, home, settings, kind, context.log.info),
        context.log.error,
    )


def raw_asset(kind: str, table: str, description: str, pulls: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """Return the asset that imports the files in inbox/<kind>/. pulls: assets that fill the table, too."""

    @dg.asset(
        key=["raw", table],
        deps=[*SETTINGS_KEYS, INBOX, *([["raw", "events"]] if kind in LANDED else []), *pulls],
        description=f"{description} Imports the files in inbox/{kind}/.",
        group_name="raw",
        kinds={"python", "duckdb"},
        owners=OWNERS,
    )
    def raw(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
        reports = import_waiting(context, warehouse, kind)
        return dg.MaterializeResult(
            metadata=metadata.of_imports(reports) | metadata.of_raw(warehouse.connection, context.asset_key)
        )

    return raw


# Tables that every import writes beside its rows, and tables that every pull writes.
IMPORT_LEDGERS = {
    "loads": "One import of a file or segment: rows received, loaded, duplicate, failed and limited.",
    "failed_events": "One rejected input row with the reason.",
    "user_agents": "One user agent with its browser, system and device class.",
    "addresses": "One hashed IP address with its country and region.",
}
PULL_LEDGERS = {
    "ad_spend_history": "One former state of a row of ad_spend, with the load that ended it.",
    "pulls": "One pull of an account's days from a platform's API, successful or not.",
    "ad_entities": "One state of an account, campaign, ad set, ad or creative, with its period.",
    "ad_clicks": "One click id and its ad, if the platform reports clicks.",
}


def raw_assets(pulls: Sequence[dg.AssetKey]) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """Return the assets of raw tables. pulls: the keys of the pulls, such as raw/ad_spend/meta for raw/ad_spend."""
    filled = {table: [key for key in pulls if key.path[:2] == ["raw", table]] for table, _ in FILES.values()}
    imports = [
        inbox,
        events,
        *(raw_asset(kind, table, description, filled[table]) for kind, (table, description) in FILES.items()),
    ]
    of_imports = [asset.key for asset in imports]
    of_pulls = [*filled["ad_spend"], dg.AssetKey(["raw", "ad_spend"])]
    return [
        settings,
        *imports,
        *(ledger(table, text, of_imports) for table, text in IMPORT_LEDGERS.items()),
        *(ledger(table, text, of_pulls) for table, text in PULL_LEDGERS.items()),
    ]


def ledger(table: str, description: str, deps: Sequence[dg.AssetKey]) -> dg.AssetSpec:
    """Return the asset of a table that other assets write."""
    return dg.AssetSpec(
        ["raw", table], deps=deps, description=description, group_name="raw", kinds={"duckdb"}, owners=OWNERS
    )


@dg.asset(
    key="published",
    deps=[key for key in models.keys if key.path[0] == "marts"],
    group_name="published",
    kinds={"duckdb", "parquet"},
    owners=OWNERS,
    freshness_policy=metadata.FRESH_DAILY,
)
def published(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """Replace published/marts.duckdb, the files of the orgs and Parquet. Publish nothing if a promise is broken."""
    version = publish(warehouse.connection, warehouse.home.published, warehouse.settings.published.readers)
    warehouse.end(context, version)
    return dg.MaterializeResult(metadata=metadata.of_publication(warehouse.home, version.rows))
