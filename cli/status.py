"""The state of a home folder on one screen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from rich.markup import escape
from rich.table import Table

from ingestion.files.contracts import KINDS
from ingestion.files.inbox import waiting_files
from ingestion.home import Home
from ingestion.segments.writer import open_segments
from ingestion.status import FailureCount, TableCount, count_failures, count_rows
from ingestion.warehouse import build_lock, connect, lock_holder
from orchestration.instance import end_dead_runs, open_instance
from serving.published import open_published
from serving.summary import notices


def status(home: Home) -> Iterator[Any]:
    """Raw tables (unless a build has the warehouse), the published version, notices, the last runs."""
    holder = lock_holder(home)
    if holder:
        yield f"Running: {holder['what']} (process {holder['pid']}, since {holder['since']})."
        yield "The raw tables are shown when it ends."
    elif home.warehouse.exists():
        with build_lock(home, "status"), connect(home) as connection:
            rows, failed = count_rows(connection), count_failures(connection)
        yield of_raw(rows)
        yield from of_failures(failed)
    else:
        yield f"Nothing is loaded in {home.root} yet. Fill it: tributary import events FILE, or tributary simulate"
    files = sum(len(waiting_files(home, kind)) for kind in KINDS)
    if files:
        yield f"In the inbox: {files} files, imported by the next run."
    if landed := len(list(home.landing.glob("*.ndjson"))) + len(open_segments(home.landing)):
        yield f"Landed: {landed} segments of the collector; the next run loads those that are closed."
    yield from of_published(home)
    yield from of_runs(home)


def of_raw(rows: list[TableCount]) -> Table:
    table = small_table("raw table", "rows", "last load")
    for row in rows:
        table.add_row(row.table, f"{row.rows:,}", f"{row.loaded_at:%Y-%m-%d %H:%M} UTC" if row.loaded_at else "never")
    return table


def of_failures(failed: list[FailureCount]) -> Iterator[Any]:
    if not failed:
        yield "No row has failed."
        return
    table = small_table("failed rows of", "rows", "reason", "for example")
    for kind, reason, count, example in failed:
        table.add_row(kind, f"{count:,}", reason, escape(example))
    yield table
    yield ""


def of_published(home: Home) -> Iterator[Any]:
    if not home.marts.exists():
        yield "Nothing is published yet: tributary run"
        return
    with open_published(home.marts) as connection:
        version, at = connection.execute("select version, published_at from meta").fetchone()
        said = notices(connection)
    hours = (datetime.now(UTC).replace(tzinfo=None) - at).total_seconds() / 3600
    yield f"Published: version {version} of {at:%Y-%m-%d %H:%M} UTC, {hours:.1f} hours ago, in {home.marts}"
    for notice in said:
        yield f"[yellow]![/yellow] {escape(notice)}"


def of_runs(home: Home) -> Iterator[Any]:
    with open_instance(home) as instance:
        end_dead_runs(instance)
        records = instance.get_run_records(limit=5)
    if not records:
        return
    table = small_table("last runs", "", "job", "took")
    for record in records:
        started = datetime.fromtimestamp(record.start_time, UTC) if record.start_time else record.create_timestamp
        took = f"{record.end_time - record.start_time:.0f} s" if record.end_time and record.start_time else ""
        table.add_row(f"{started:%Y-%m-%d %H:%M} UTC", verdict(record.dagster_run), job_name(record.dagster_run), took)
    yield table


def verdict(run: dg.DagsterRun) -> str:
    return {"SUCCESS": "[green]✓[/green]", "FAILURE": "[red]failed[/red]"}.get(
        run.status.value, run.status.value.lower()
    )


def job_name(run: dg.DagsterRun) -> str:
    return "selected assets" if run.job_name.startswith("__") else run.job_name


def small_table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading == "rows" else "left", no_wrap=heading != "for example")
    return table
