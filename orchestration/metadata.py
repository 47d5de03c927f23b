"""What a person sees beside an asset in Dagster's UI: rows, money, small tables, a plot."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DbtCliInvocation
from sqlglot.errors import SqlglotError

from ingestion.home import Home
from ingestion.loads import LoadReport
from orchestration.lineage import Schema, column_lineage
from orchestration.resources import Warehouse

# Rollups are built at 03:00; an hour's delay warns, and a day that is missing altogether fails.
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
    from marts.waste_flags join marts.orgs using (org_id) where grain = 'CAMPAIGN' and attribution_model = 'linear'
    order by waste_spend_micros desc limit 10
"""
TOP_PATHS = """
    select org_id, path, conversions, non_conversions, round(value_micros / 1e6, 2) as value
    from marts.conversion_paths order by conversions desc, path limit 10
"""
COUNTED_VIEWS = {("marts", "touchpoints"), ("marts", "conversion_touches"), ("marts", "daily_rollups")}
TABLES = {"channel_summary": REVENUE_BY_MODEL, "waste_flags": WORST_WASTE, "conversion_paths": TOP_PATHS}


def of_table(connection: duckdb.DuckDBPyConnection, key: dg.AssetKey) -> dict[str, Any]:
    """Rows of the table that an asset key names."""
    name = ".".join(f'"{part}"' for part in key.path)
    (rows,) = connection.execute(f"select count(*) from {name}").fetchone()
    return {"dagster/row_count": rows}


def of_imports(reports: Iterable[LoadReport]) -> dict[str, Any]:
    """What the files of one run brought: received = loaded + duplicate + failed."""
    reports = list(reports)
    totals = {
        count: sum(getattr(report, count) for report in reports)
        for count in ("received", "loaded", "duplicate", "failed")
    }
    rows = [
        f"| {report.source} | {report.received:,} | {report.loaded:,} | {report.duplicate:,} | {report.failed:,} |"
        for report in reports
    ]
    table = ["| file | received | loaded | duplicate | failed |", "| --- | ---: | ---: | ---: | ---: |", *rows]
    return totals | {"files": dg.MetadataValue.md("\n".join(table)) if rows else "no new files"}


def of_segments(reports: Iterable[LoadReport], seconds: float) -> dict[str, Any]:
    """What the segments of one run brought: received = accepted + duplicate + rejected + limited."""
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


def told(context: dg.AssetExecutionContext, events: Iterator[Any]) -> Iterator[Any]:
    """dbt's events as they come, each finished model and test logged."""
    for event in events:
        name = event.metadata["unique_id"].text.split(".")[-1] if "unique_id" in event.metadata else None
        seconds = event.metadata.get("Execution Duration")
        if isinstance(event, dg.Output) and name:
            context.log.info(f"built {name}" + (f" in {seconds.value:.1f} s" if seconds else ""))
        elif isinstance(event, dg.AssetCheckResult) and not event.passed:
            context.log.warning(f"check {event.check_name} on {event.asset_key.to_user_string()} did not pass")
        yield event


def with_marts(
    context: dg.AssetExecutionContext, warehouse: Warehouse, invocation: DbtCliInvocation, events: Iterator[Any]
) -> Iterator[Any]:
    """The same events when dbt is done: rows and column lineage on every table, tables and a plot on the marts."""
    events = list(events)
    context.log.info("counting rows, tracing columns, drawing")
    compiled = compiled_models(invocation)
    with warehouse.connect() as connection:
        schema = columns(connection)
        for event in events:
            if isinstance(event, dg.Output):
                key = context.asset_key_for_output(event.output_name)
                found = of_mart(connection, key)
                if key in compiled:
                    try:
                        found["dagster/column_lineage"] = column_lineage(compiled[key].read_text(), schema)
                    except SqlglotError as error:  # SQL that DuckDB ran may still be beyond the parser
                        context.log.warning(f"no column lineage of {key.to_user_string()}: {error}")
                yield event.with_metadata({**event.metadata, **found})
            else:
                yield event


def compiled_models(invocation: DbtCliInvocation) -> dict[dg.AssetKey, Path]:
    """The SQL that dbt ran for each model."""
    folder = invocation.target_path / "compiled"
    found = {
        dg.AssetKey([node["schema"], node["name"]]): folder / node["package_name"] / node["original_file_path"]
        for node in invocation.manifest["nodes"].values()
        if node["resource_type"] == "model"
    }
    return {key: path for key, path in found.items() if path.exists()}


def columns(connection: duckdb.DuckDBPyConnection) -> Schema:
    """Every column of the warehouse with its type."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for schema, table, column, kind in connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() where not internal"
    ).fetchall():
        found.setdefault(schema, {}).setdefault(table, {})[column] = kind
    return found


def of_mart(connection: duckdb.DuckDBPyConnection, key: dg.AssetKey) -> dict[str, Any]:
    """Return a dbt model's rows, and for some marts a table and a plot. A view is counted where that is cheap."""
    schema, table = key.path
    (is_table,) = connection.execute(
        "select count(*) from information_schema.tables"
        " where table_schema = ? and table_name = ? and table_type = 'BASE TABLE'",
        [schema, table],
    ).fetchone()
    found: dict[str, Any] = of_table(connection, key) if is_table or (schema, table) in COUNTED_VIEWS else {}
    if schema == "marts" and table in TABLES:
        found["preview"] = dg.MetadataValue.md(markdown(connection.execute(TABLES[table])))
    if schema == "marts" and table == "daily_rollups":
        found["spend_and_value"] = plot_of_rollups(connection)
    return found


def markdown(result: duckdb.DuckDBPyConnection) -> str:
    """A query's rows as a Markdown table."""
    names = [column[0] for column in result.description]
    rows = [" | ".join("" if value is None else str(value) for value in row) for row in result.fetchall()]
    return "\n".join([" | ".join(names), " | ".join("---" for _ in names), *rows])


def plot_of_rollups(connection: duckdb.DuckDBPyConnection) -> dg.MarkdownMetadataValue:
    """Spend and booked value a day, one panel an org, in its reporting currency."""
    from matplotlib.figure import Figure

    rows = connection.execute("""
        select org_id, currency, date, sum(spend_micros) / 1e6, sum(conversion_value_micros) / 1e6
        from marts.daily_rollups join marts.orgs using (org_id)
        where grain = 'ORGANIZATION' and accounting_mode = 'cash' and attribution_model = 'linear'
        group by all order by 1, 3
    """).fetchall()
    orgs = sorted({(org, currency) for org, currency, *_ in rows})
    if not orgs:
        return dg.MetadataValue.md("no days yet")
    figure = Figure(figsize=(8, 2.4 * len(orgs)), layout="constrained")
    for panel, (org, currency) in zip(figure.subplots(len(orgs), squeeze=False)[:, 0], orgs, strict=True):
        days = [row for row in rows if row[0] == org]
        panel.plot([row[2] for row in days], [row[4] for row in days], label="value")
        panel.plot([row[2] for row in days], [row[3] for row in days], label="spend")
        panel.set_title(f"{org}, {currency} a day", loc="left", fontsize=9)
        panel.legend(frameon=False, fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    return dg.MetadataValue.md(
        f"![spend and value](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"
    )


def of_publication(home: Home, counts: dict[str, int]) -> dict[str, Any]:
    """Where the published files are, and their rows."""
    rows = [f"| {table} | {count:,} |" for table, count in counts.items()]
    return {
        "path": dg.MetadataValue.path(str(home.marts)),
        "tables": dg.MetadataValue.md("\n".join(["| table | rows |", "| --- | ---: |", *rows])),
    }
