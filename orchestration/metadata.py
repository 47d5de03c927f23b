"""Metadata of assets in Dagster's UI: row counts, imports, small tables, a chart.

In: the warehouse, reports of imports and publications. Out: metadata by name.
"""

from __future__ import annotations

import html
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

import dagster as dg
import duckdb

from ingestion.home import Home
from ingestion.loads import LoadReport
from ingestion.text import printable
from orchestration.plots import as_markdown, line_chart

_MARKUP = str.maketrans({character: f"\\{character}" for character in "\\`*_[]|~#"})
Metadata = dict[str, Any]

# Rollups are built at 03:00. An hour's delay warns; a day without them fails.
FRESH_DAILY = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=48), warn_window=timedelta(hours=25))

REVENUE_BY_MODEL = """
    pivot (
        select org_id, currency, channel, attribution_model,
            round(sum(conversion_value_micros) / 1e6)::bigint as revenue
        from marts.channel_summary join marts.orgs using (org_id) group by all
    )
    on attribution_model using sum(revenue) order by org_id, channel
"""
WORST_WASTE = """
    select org_id, currency, platform, campaign_id, reason, severity, round(waste_spend_micros / 1e6, 2) as wasted,
        recommendation
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
PREVIEWS = {"channel_summary": REVENUE_BY_MODEL, "waste_flags": WORST_WASTE, "conversion_paths": TOP_PATHS}


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
    rows = [
        f"| {cell(report.source)} | {report.received:,} | {report.loaded:,} | {report.duplicate:,} |"
        f" {report.failed:,} |"
        for report in reports
    ]
    table = ["| file | received | loaded | duplicate | failed |", "| --- | ---: | ---: | ---: | ---: |", *rows]
    return totals | {"files": dg.MetadataValue.md("\n".join(table)) if rows else "no new files"}


def of_reasons(rejected: Mapping[str, str]) -> dg.MarkdownMetadataValue:
    """Return a table of files and the reasons why they could not be imported."""
    rows = [f"| {cell(name)} | {cell(reason)} |" for name, reason in rejected.items()]
    return dg.MetadataValue.md("\n".join(["| file | reason |", "| --- | --- |", *rows]))


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
    """Return a preview or a chart for the marts that have one."""
    if mart in PREVIEWS:
        return {"preview": dg.MetadataValue.md(markdown(connection.execute(PREVIEWS[mart])))}
    return {"spend_and_value": chart_of_rollups(connection)} if mart == "daily_rollups" else {}


def cell(text: str) -> str:
    """Return a text from visitors or files as one cell of a Markdown table, without markup or control characters."""
    return html.escape(printable(text).replace("\n", " ")).translate(_MARKUP)


def markdown(result: duckdb.DuckDBPyConnection) -> str:
    """Return a query's rows as a Markdown table."""
    names = [column[0] for column in result.description]
    rows = [" | ".join("" if value is None else cell(str(value)) for value in row) for row in result.fetchall()]
    return "\n".join([" | ".join(names), " | ".join("---" for _ in names), *rows])


def chart_of_rollups(connection: duckdb.DuckDBPyConnection) -> dg.MarkdownMetadataValue:
    """Return spend and booked value by day, a chart for each org, in its reporting currency."""
    rows = connection.execute("""
        select org_id, currency, date, sum(spend_micros) / 1e6, sum(conversion_value_micros) / 1e6
        from marts.daily_rollups join marts.orgs using (org_id)
        where grain = 'ORGANIZATION' and accounting_mode = 'cash' and attribution_model = 'linear'
        group by all order by 1, 3
    """).fetchall()
    charts = []
    for org, currency in sorted({(org, currency) for org, currency, *_ in rows}):
        days = [row[2:] for row in rows if row[0] == org]
        lines = {
            "value": [(day, value) for day, _, value in days],
            "spend": [(day, spend) for day, spend, _ in days],
        }
        charts.append(line_chart(f"{org}: {currency} by day", lines))
    return as_markdown(charts, "spend and value by day") if charts else dg.MetadataValue.md("no days yet")


def of_publication(home: Home, counts: dict[str, int]) -> Metadata:
    """Return the place of the published files and the rows of each table."""
    rows = [f"| {table} | {count:,} |" for table, count in counts.items()]
    return {
        "path": dg.MetadataValue.path(str(home.marts)),
        "tables": dg.MetadataValue.md("\n".join(["| table | rows |", "| --- | ---: |", *rows])),
    }
