"""Metadata of assets in Dagster's UI: row counts, imports, small tables, a chart.

In: the warehouse, reports of imports and publications. Out: metadata by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import dagster as dg
import duckdb

from ingestion.home import Home
from ingestion.loads import LoadReport
from ingestion.text import printable
from orchestration.plots import line_chart

Metadata = dict[str, Any]

# New data come every day. A day and an hour without a new version warn; two days fail.
FRESH_DAILY = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=48), warn_window=timedelta(hours=25))

REVENUE_BY_MODEL = """
    pivot (
        select org_id, currency, channel, attribution_model, round(conversion_value_micros / 1e6)::bigint as revenue
        from marts.model_comparison join marts.conversion_windows using (org_id, conversion_type, lookback_days)
            join marts.orgs using (org_id)
        where is_main_type and is_main_window
    )
    on attribution_model using sum(revenue) order by org_id, channel
"""
WORST_WASTE = """
    select org_id, currency, platform, coalesce(campaign, campaign_id) as campaign, reason, severity,
        round(waste_spend_micros / 1e6, 2) as wasted, recommendation
    from marts.waste_flags join marts.orgs using (org_id)
    where grain = 'CAMPAIGN' and attribution_model = default_attribution_model
    order by waste_spend_micros desc limit 10
"""
TOP_PATHS = """
    select org_id, path, conversions, non_conversions, round(value_micros / 1e6, 2) as value
    from marts.conversion_paths order by conversions desc, path limit 10
"""
# Views that cost no more to count than their tables.
COUNTED_VIEWS = [("marts", "touchpoints"), ("marts", "conversion_touches")]
PREVIEWS = {"model_comparison": REVENUE_BY_MODEL, "waste_flags": WORST_WASTE, "conversion_paths": TOP_PATHS}


def row_counts(connection: duckdb.DuckDBPyConnection, keys: Collection[dg.AssetKey]) -> dict[dg.AssetKey, int]:
    """Return the rows of each table among the keys, which are [schema, table]. A view is counted if that is cheap."""
    stored = connection.execute("select schema_name, table_name from duckdb_tables() where not internal").fetchall()
    tables = {dg.AssetKey(list(path)) for path in (*stored, *COUNTED_VIEWS)}
    wanted = [key for key in keys if key in tables]
    if not wanted:
        return {}
    counts = ", ".join(f'(select count(*) from "{key.path[0]}"."{key.path[1]}")' for key in wanted)
    return dict(zip(wanted, connection.execute(f"select {counts}").fetchall()[0], strict=True))


def of_rows(rows: int) -> Metadata:
    """Return the row count where Dagster's UI shows it beside the asset."""
    return {"dagster/row_count": rows}


def of_raw(connection: duckdb.DuckDBPyConnection, key: dg.AssetKey) -> Metadata:
    """Return the row count of one raw table."""
    return of_rows(row_counts(connection, [key])[key])


def of_imports(reports: Iterable[LoadReport]) -> Metadata:
    """Return the files that a run imported: received = loaded + duplicate + failed."""
    reports = list(reports)
    totals = {
        count: sum(getattr(report, count) for report in reports)
        for count in ("received", "loaded", "duplicate", "failed")
    }
    rows = [{"file": report.source, **{count: getattr(report, count) for count in totals}} for report in reports]
    return totals | {"files": table(rows, "no new files")}


def of_reasons(rejected: Mapping[str, str]) -> dg.TableMetadataValue | str:
    """Return a table of files and the reasons why they could not be imported."""
    return table([{"file": name, "reason": why} for name, why in rejected.items()], "no rejected files")


def of_segments(reports: Iterable[LoadReport], seconds: float) -> Metadata:
    """Return the segments that a run loaded: received = accepted + duplicate + rejected + limited."""
    reports = list(reports)
    counts = {
        "received": "received",
        "accepted": "loaded",
        "duplicate": "duplicate",
        "rejected": "failed",
        "limited": "limited",
    }
    return {
        "segments": len({report.source for report in reports}),
        **{f"landed_{name}": sum(getattr(report, count) for report in reports) for name, count in counts.items()},
        "landed_seconds": round(seconds, 2),
    }


def of_mart(connection: duckdb.DuckDBPyConnection, mart: str) -> Metadata:
    """Return a preview or charts for the marts that have them."""
    if mart in PREVIEWS:
        return {"preview": preview(connection.execute(PREVIEWS[mart]))}
    return charts_of_rollups(connection) if mart == "daily_rollups" else {}


def preview(result: duckdb.DuckDBPyConnection) -> dg.TableMetadataValue | str:
    """Return a query's rows as a table, which Dagster's UI shows without a click."""
    names = [column[0] for column in result.description]
    return table([dict(zip(names, row, strict=True)) for row in result.fetchall()], "no rows yet")


def table(rows: Sequence[Mapping[str, object]], otherwise: str) -> dg.TableMetadataValue | str:
    """Return rows, which have the same columns, as a table; `otherwise` if there is none.

    Dagster's UI shows a table without a click. Texts from visitors or files lose their control characters.
    """
    if not rows:
        return otherwise
    return dg.MetadataValue.table([dg.TableRecord({name: plain(value) for name, value in row.items()}) for row in rows])


def plain(value: object) -> str | int | float | bool | None:
    """Return a value as a table's cell."""
    if isinstance(value, Decimal):
        value = float(value)  # without trailing zeros
    return value if value is None or isinstance(value, (bool, int, float)) else printable(str(value))


def charts_of_rollups(connection: duckdb.DuckDBPyConnection) -> Metadata:
    """Return spend and booked value by day, a chart for each org, in its reporting currency."""
    rows = connection.execute("""
        select org_id, currency, date, spend::double, conversion_value::double
        from marts.blended_daily join marts.conversion_windows using (org_id, conversion_type)
        where is_main_type and is_main_window order by 1, 3
    """).fetchall()
    charts = {}
    for org, currency in sorted({(org, currency) for org, currency, *_ in rows}):
        days = [row[2:] for row in rows if row[0] == org]
        lines = {
            "value": [(day, value) for day, _, value in days],
            "spend": [(day, spend) for day, spend, _ in days],
        }
        charts[f"value and spend of {org} by day ({currency})"] = line_chart(lines)
    return charts


def of_publication(home: Home, counts: dict[str, int]) -> Metadata:
    """Return the place of the published files and the rows of each table."""
    rows = [{"table": name, "rows": count} for name, count in counts.items()]
    return {"path": dg.MetadataValue.path(str(home.marts)), "tables": table(rows, "no tables")}
