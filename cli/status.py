"""`tributary status`: the state of a home folder on one screen.

In: a home. Out: raw tables, failures, waiting input, the published version, notices, the last runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from cli.console import WRONG_INPUT, fail, plain_table, print_parts, readable_errors
from ingestion.home import Home
from ingestion.text import counted

if TYPE_CHECKING:
    import dagster as dg
    from rich.table import Table

    from ingestion.files.failed_rows import FailedRows
    from ingestion.status import TableCount


def status() -> None:
    """Show loaded rows, failures, waiting files, the published version and the last runs.

    [bold]Example[/bold]

      tributary status
    """
    with readable_errors():
        from ingestion.settings.load import load_settings
        from ingestion.settings.model import SettingsError

        home = Home.from_environment()
        try:
            keep_days = load_settings(home).history.keep_days
        except SettingsError as error:
            print_parts(describe(home))
            fail(f"Every other command stops until tributary.yaml is correct:\n{error}", WRONG_INPUT)
        print_parts(describe(home, keep_days))


def describe(home: Home, keep_days: int | None = None) -> Iterator[Any]:
    """Yield the state of a home. keep_days: of Dagster's history, if tributary.yaml is correct.

    While a build uses the warehouse, its raw tables are not available."""
    from ingestion.files.failed_rows import count_failed
    from ingestion.files.inbox import rejected_files
    from ingestion.segments.writer import open_segments
    from ingestion.status import count_rows
    from ingestion.warehouse import WarehouseLost, build_lock, connect, has_data, lock_holder
    from orchestration.changes import BUILD, reasons
    from orchestration.unloaded_files import unloaded_files

    holder = lock_holder(home)
    if holder:
        yield f"Running: {holder}."
        yield "The raw tables are available when it ends."
    elif home.warehouse.exists() or has_data(home):
        try:
            with build_lock(home, "status"), connect(home) as connection:
                rows, failed = count_rows(connection), count_failed(connection)
        except WarehouseLost as error:
            yield f"[red]![/red] {escape(str(error))}"
        else:
            yield raw_table(rows)
            yield from failures_table(failed)
    else:
        yield f"Nothing is loaded in {home.root} yet. Run: tributary import events FILE, or tributary simulate"
    if count := len(open_segments(home.landing)):
        yield f"The collector is writing {counted(count, 'segment')}. A run loads a segment once it is closed."
    for problem in unloaded_files(home).values():
        yield f"[yellow]![/yellow] not loaded: {escape(problem)}"
    for name, reason in rejected_files(home).items():
        yield f"[yellow]![/yellow] inbox/rejected/{escape(name)}: {escape(reason)}"
    yield from published_version(home)
    if not holder:
        found = reasons(home, BUILD)
        yield f"New: {', '.join(found)}. Run: tributary run" if found else "Nothing is new since this version."
    yield from last_runs(home, keep_days)


def raw_table(rows: Sequence[TableCount]) -> Table:
    """Return a table of the raw tables."""
    table = plain_table("raw table", "rows", "last load")
    for row in rows:
        table.add_row(row.table, f"{row.rows:,}", f"{row.loaded_at:%Y-%m-%d %H:%M} UTC" if row.loaded_at else "never")
    return table


def failures_table(failed: Sequence[FailedRows]) -> Iterator[Any]:
    """Yield a table of the failed rows by kind and reason."""
    if not failed:
        yield "No row has failed."
        return
    table = plain_table("failed rows of", "rows", "reason", "for example")
    for each in failed:
        table.add_row(each.kind, f"{each.rows:,}", escape(each.reason), escape(each.example))
    yield table
    yield "What to do about them: tributary failed"
    yield ""


def published_version(home: Home) -> Iterator[str]:
    """Yield the published version, the orgs whose file is damaged, its notices and its doubtful input."""
    from serving.orgs import OrgFiles
    from serving.published import NothingPublished, open_published
    from serving.summary import input_checks, notices

    if not home.marts.exists():
        yield "Nothing is published yet."
        return
    try:
        connection = open_published(home.marts)
    except NothingPublished as error:
        yield f"[red]![/red] {escape(str(error))}"
        return
    with connection:
        ((version, at),) = connection.execute("select version, published_at from meta").fetchall()
        messages, doubtful = notices(connection), list(input_checks(connection))
    hours = (datetime.now(UTC).replace(tzinfo=None) - at).total_seconds() / 3600
    files = OrgFiles(home.published)
    problems = files.problems(files.names())
    files.close()
    yield f"Published: version {version} of {at:%Y-%m-%d %H:%M} UTC, {hours:.1f} hours ago, in {home.marts}"
    for problem in problems.values():
        yield f"[red]![/red] {escape(problem)}"
    for message in messages:
        yield f"[yellow]![/yellow] {escape(message)}"
    yield from doubtful


def last_runs(home: Home, keep_days: int | None) -> Iterator[Any]:
    """Yield the size of Dagster's history and a table of its last runs."""
    from orchestration.instance import end_dead_runs, open_instance
    from orchestration.retention import history_size

    with open_instance(home) as instance:
        end_dead_runs(instance)
        records, count = instance.get_run_records(limit=5), instance.get_runs_count()
    kept = f", kept for {counted(keep_days, 'day')}" if keep_days else ""
    yield f"Dagster's history: {counted(count, 'run')} in {history_size(home) / 1e6:,.1f} MB{kept}."
    if not records:
        return
    table = plain_table("last runs", "", "job", "took")
    for record in records:
        started = datetime.fromtimestamp(record.start_time, UTC) if record.start_time else record.create_timestamp
        took = f"{record.end_time - record.start_time:.0f} s" if record.end_time and record.start_time else ""
        run = record.dagster_run
        job = "selected assets" if run.job_name.startswith("__") else run.job_name
        table.add_row(f"{started:%Y-%m-%d %H:%M} UTC", run_mark(run), job, took)
    yield table


def run_mark(run: dg.DagsterRun) -> str:
    """Return the status of a run in colour."""
    marks = {"SUCCESS": "[green]✓[/green]", "FAILURE": "[red]failed[/red]"}
    return marks.get(run.status.value, run.status.value.lower())
