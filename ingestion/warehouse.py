"""The warehouse: one DuckDB file with one writer, and the lock of that writer.

In: a Home. Out: connections to up-to-date raw tables; locks that the operating system frees with their process.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ingestion import hosts
from ingestion.file_lock import Holder, file_lock, holder_of
from ingestion.home import Home
from ingestion.migrations.upgrade import upgrade
from ingestion.privacy.sql import create_functions
from ingestion.segments.archive import end_retirement, make_all_events, place
from ingestion.sql import Connection

BUILD_BYTES = 5_000_000_000  # of DuckDB's memory, so that 8 GiB suffice for a build
IMPORT_BYTES = 1_500_000_000  # so that an import of any size needs less than 2 GiB, Python included
WITHOUT_LOCK = ("pull-", "metrics-")  # temporary files of pulls and the collector, which work beside a build
_DAMAGED = re.compile("Corrupt database file|not a valid DuckDB database file|Could not read enough bytes")
REBUILD = (
    "Restore it from a backup, or load everything again from archive/, landing/ and inbox/ with: tributary rebuild"
)


class WarehouseLost(Exception):
    """The warehouse is damaged, or missing although data was loaded. Nothing was changed."""


def lock_holder(home: Home) -> Holder | None:
    """Return the process that holds the build lock, or None."""
    return holder_of(home.lock)


@contextmanager
def build_lock(home: Home, what: str, progress: Callable[[str], None] = lambda message: None) -> Iterator[None]:
    """Hold the warehouse's only writing place for a whole build. Wait for it, and report which process has it.

    what: the name of this build in the messages of processes that wait for it.
    """
    with file_lock(home.lock, what, progress):
        _delete_leftovers(home)
        yield


def _delete_leftovers(home: Home) -> None:
    """Delete the temporary files of killed builds: nobody can read a half-written file, and it may name a person."""
    for path in home.temporary.iterdir() if home.temporary.exists() else ():
        if path.name.startswith(WITHOUT_LOCK):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def connect(home: Home, *, read_only: bool = False) -> Connection:
    """Open the warehouse and upgrade its raw tables if a migration is missing. The caller holds the build lock.

    SchemaVersionError if a later program created the warehouse, or if a `read_only` connection finds an older one.
    WarehouseLost if it is damaged, or if it is missing and a published version or the archive exists: a new warehouse
    would publish empty tables.
    """
    if not home.warehouse.exists():
        if has_data(home):
            raise WarehouseLost(f"{home.warehouse} is missing, and data was loaded before. {REBUILD}")
        if not read_only:
            _create(home)
    try:
        connection = _open(home, home.warehouse, read_only)
    except duckdb.Error as error:
        if is_damage(error):
            raise WarehouseLost(f"{home.warehouse} is damaged: {error}. {REBUILD}") from None
        raise
    try:
        connection.execute("set TimeZone = 'UTC'")  # connect refuses this option: it loads icu later
        connection.execute("set enable_progress_bar = false")  # DuckDB prints it on stdout, even without a terminal
        # DuckDB 2.0 can miss rows of a join on rowid if this transaction has inserted some of them: the join's filter
        # prunes stored rows by the ids of new ones. Loads delete by rowid what they have just appended or replaced.
        connection.execute("set disabled_optimizers = 'join_filter_pushdown'")
        create_functions(connection)
        hosts.create_function(connection)
        upgrade(connection, home.warehouse, read_only=read_only)
        if not read_only:
            end_retirement(connection, home.archive)
            make_all_events(connection, home.archive)
    except BaseException:
        connection.close()
        raise
    return connection


def _create(home: Home) -> None:
    """Put an empty warehouse in place. A process that is killed while DuckDB creates a file leaves half a header."""
    new = home.temporary / "warehouse.new"
    new.parent.mkdir(exist_ok=True)
    new.unlink(missing_ok=True)
    _open(home, new).close()
    place(new, home.warehouse)


def _open(home: Home, file: Path, read_only: bool = False) -> Connection:
    return duckdb.connect(
        str(file),
        read_only=read_only,
        config={
            "storage_compatibility_version": "v1.5.0",
            "temp_directory": str(home.temporary),
            "memory_limit": memory_limit(),
        },
    )


def has_data(home: Home) -> bool:
    """Return whether something was loaded into the home: it has a published version or an archive."""
    return home.marts.exists() or next(home.archive.rglob("*.parquet"), None) is not None


def is_damage(error: object) -> bool:
    """Return whether an error, or its message, states that a database file is damaged."""
    return bool(_DAMAGED.search(str(error)))


def memory_limit(most: int = BUILD_BYTES) -> str:
    """Return DuckDB's memory limit: half of the machine's memory, at most this number of bytes."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{min(total // 2, most) // 1_000_000}MB"


@contextmanager
def little_memory(connection: Connection) -> Iterator[None]:
    """Limit DuckDB to the memory of an import. A larger import spills to the disk and takes as long."""
    connection.execute(f"set memory_limit = '{memory_limit(IMPORT_BYTES)}'")
    try:
        yield
    finally:
        connection.execute(f"set memory_limit = '{memory_limit()}'")
