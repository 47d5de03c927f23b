"""Deletion of old runs from Dagster's history.

In: an instance, the days to keep. Out: a smaller history. The last materialization of each asset and day stays.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from ingestion.home import Home
from ingestion.text import counted
from orchestration.history import EventLog

FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
RUNS_AT_ONCE = 500  # a run waits for the deletion; the next runs delete the rest
FREE_BYTES = 64 << 20  # in a database, before its file is written again without them


def delete_old_runs(
    home: Home, instance: dg.DagsterInstance, keep_days: int, log: Callable[[str], None], now: datetime | None = None
) -> None:
    """Delete finished runs that are older than `keep_days`, with their events, logs and files.

    now: the time in UTC. The caller holds the build lock, so that one process at a time does this.
    """
    before = (now or datetime.now(UTC)) - timedelta(days=keep_days)
    old = instance.get_run_records(
        dg.RunsFilter(statuses=FINISHED, created_before=before), limit=RUNS_AT_ONCE, ascending=True
    )
    for record in old:
        instance.delete_run(record.dagster_run.run_id)
    events = instance.event_log_storage
    if isinstance(events, EventLog):
        events.delete_runless_events(before.replace(tzinfo=None))
    delete_files_without_run(home, instance)
    for database in home.dagster.rglob("*.db"):
        return_free_space(database)
    if old:
        log(f"deleted {counted(len(old), 'run')} older than {counted(keep_days, 'day')} from Dagster's history")


def delete_files_without_run(home: Home, instance: dg.DagsterInstance) -> None:
    """Delete the output and the event file of each run that is not in the history."""
    outputs = {path.name: path for path in (home.dagster / "storage").glob("????????-????-????-????-????????????")}
    files = {path.stem: path for path in (home.dagster / "history" / "runs").glob("????????-????-????-????-*.db")}
    runs = set(instance.get_run_ids())
    for run_id in outputs.keys() - runs:
        shutil.rmtree(outputs[run_id], ignore_errors=True)
    for run_id in files.keys() - runs:
        for suffix in (".db", ".db-wal", ".db-shm"):
            files[run_id].with_suffix(suffix).unlink(missing_ok=True)


def return_free_space(database: Path) -> None:
    """Write a database again if more than half of its file is free. Leave it if another process uses it now."""
    with closing(sqlite3.connect(database, timeout=1, isolation_level=None)) as connection:
        (pages,), (free,), (size,) = (
            connection.execute(f"pragma {name}").fetchone() for name in ("page_count", "freelist_count", "page_size")
        )
        if free * 2 > pages and free * size > FREE_BYTES:
            try:
                connection.execute("vacuum")
            except sqlite3.OperationalError:  # locked
                return


def history_size(home: Home) -> int:
    """Return the bytes of all files of Dagster's history."""
    size = 0
    for path in home.dagster.rglob("*"):
        with suppress(FileNotFoundError):  # a run deletes and renames files
            size += path.stat().st_size if path.is_file() else 0
    return size
