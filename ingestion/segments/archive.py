"""Archive rows as Parquet: archive/{landed,events}/site_id=<site>/date=<day>/<name>.parquet.

In: the SELECT of the rows to archive. Out: files that are whole and durable before the rows are deleted, and the view
raw.all_events over the hot table and the archive.
"""

from __future__ import annotations

import errno
import os
import shutil
from datetime import datetime, timedelta
from glob import escape
from pathlib import Path

import duckdb

from ingestion.sql import literal, scalar

_EPOCH = datetime(1970, 1, 1)
_EVENTS = "events"
_MARKER = ".retiring"  # in archive/events/: names the retirement under way


def write_partitioned(
    connection: duckdb.DuckDBPyConnection, query: str, temporary: Path, target: Path, name: str
) -> list[Path]:
    """Write the rows of `query`, which has columns site_id and date, to target/<partition>/<name>.parquet.

    Returns the files. A second call with the same query and name replaces the same files.
    """
    folder = temporary / f"parquet-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    connection.execute(
        f"copy ({query}) to {literal(folder)} (format parquet, compression zstd, compression_level 1,"
        f" partition_by (site_id, date), write_partition_columns true, filename_pattern {literal(f'{name}.{{i}}')})"
    )
    placed = []
    for path in sorted(folder.rglob("*.parquet")):
        partition = target / path.parent.relative_to(folder)
        number = path.name.removeprefix(f"{name}.").removesuffix(".parquet")
        placed.append(partition / (f"{name}.parquet" if number == "0" else f"{name}.{number}.parquet"))
        place(path, placed[-1])
    shutil.rmtree(folder)
    for stale in {other for path in placed for other in path.parent.glob(f"{name}.*parquet")} - set(placed):
        stale.unlink()  # an earlier attempt was split into other files
    return placed


def place(path: Path, target: Path) -> None:
    """Move a finished file to its place, synced first, so that it is there as a whole or not at all.

    A file of another file system is copied beside its place first: no rename leads from one to the other.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    sync(path)
    try:
        os.replace(path, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy = target.with_name(f".{target.name}.part")
        shutil.copy2(path, copy)
        sync(copy)
        os.replace(copy, target)
        path.unlink()
    sync(target.parent)


def set_load_time(path: Path, loaded_at: datetime | None) -> None:
    """Give an archived file the time of its load (UTC, without a zone): ingestion/rebuild.py reads it."""
    if loaded_at:
        nanoseconds = (loaded_at - _EPOCH) // timedelta(microseconds=1) * 1000
        os.utime(path, ns=(nanoseconds, nanoseconds))


def load_time(path: Path) -> datetime:
    """Return the time at which an archived file was loaded (UTC, without a zone)."""
    return _EPOCH + timedelta(microseconds=path.stat().st_mtime_ns // 1000)


def sync(path: Path) -> None:
    """Make a file's content, or a folder's entries, durable."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def begin_retirement(archive: Path, name: str) -> None:
    """Record durably which files of archive/events/ do not count until their retirement is committed."""
    marker = archive / _EVENTS / _MARKER
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(name)
    sync(marker)
    sync(marker.parent)


def end_retirement(connection: duckdb.DuckDBPyConnection, archive: Path) -> None:
    """Finish a retirement, or clean up after its crash: delete files if raw.events still has their rows."""
    marker = archive / _EVENTS / _MARKER
    try:
        name = marker.read_text()
    except FileNotFoundError:
        return
    found = connection.execute("select count(*) from raw.retirements where retirement_id = ?", [name]).fetchone()
    if name and found == (0,):
        for path in marker.parent.glob(f"*/*/{name}*.parquet"):
            path.unlink()
    marker.unlink()


def make_all_events(connection: duckdb.DuckDBPyConnection, archive: Path) -> None:
    """Create the view raw.all_events: raw.events, and the rows of archive/events/ in the same columns."""
    folder = archive / _EVENTS
    columns = connection.execute("select column_name, column_type from (describe raw.events)").fetchall()
    view = "from raw.events"
    if next(folder.glob("*/*/*.parquet"), None):
        names = ", ".join(name for name, _ in columns)
        files = literal(f"{escape(str(folder))}/*/*/*.parquet")
        # The empty table adds the columns that older files lack.
        view += (
            f" union all by name select {names} from ((from raw.events limit 0) union all by name"
            f" from read_parquet({files}, union_by_name = true, hive_partitioning = false))"
        )
    # The comment names the current view, so that a connection that changes nothing leaves the file as it is.
    comment = f"{view}: {columns}"
    there = "select comment from duckdb_views() where schema_name = 'raw' and view_name = 'all_events'"
    if scalar(connection, there) != comment:
        connection.execute(f"create or replace view raw.all_events as {view}")
        connection.execute(f"comment on view raw.all_events is {literal(comment)}")
