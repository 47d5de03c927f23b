"""The warehouse: one DuckDB file with one writer, and the lock of that writer.

In: a Home. Out: connections to up-to-date raw tables; locks that the operating system frees with their process.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from ingestion.home import Home
from ingestion.migrations.upgrade import upgrade
from ingestion.privacy.sql import create_functions
from ingestion.segments.archive import end_retirement, make_all_events
from ingestion.sql import Connection


def lock_holder(home: Home) -> dict[str, Any] | None:
    """Return the process that holds the build lock as {what, pid, since}, or None."""
    try:
        with home.lock.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                holder: dict[str, Any] = json.loads(file.read() or "{}")
                return holder
    except FileNotFoundError:
        pass
    return None


@contextmanager
def build_lock(home: Home, what: str, progress: Callable[[str], None] = lambda message: None) -> Iterator[None]:
    """Hold the warehouse's only writing place for a whole build. Wait for it, and report which process has it.

    what: the name of this build in the messages of processes that wait for it.
    """
    with file_lock(home.lock, what, progress):
        yield


@contextmanager
def file_lock(lock: Path, what: str, progress: Callable[[str], None] = lambda message: None) -> Iterator[None]:
    """Hold an exclusive lock on the file. Wait for it, and report which process has it.

    The operating system frees a flock when its process dies, so a killed process never blocks another one.
    """
    with lock.open("a+") as file:
        reported = None
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                file.seek(0)
                holder = file.read()
                if holder != reported:
                    reported = holder
                    try:
                        other = json.loads(holder)
                        progress(f"waiting for {other['what']} (process {other['pid']}, since {other['since']})")
                    except (ValueError, KeyError):
                        progress("waiting for another build")
                time.sleep(0.2)
        file.seek(0)
        file.truncate()
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        file.write(json.dumps({"what": what, "pid": os.getpid(), "since": since}))
        file.flush()
        yield


def connect(home: Home, *, read_only: bool = False) -> Connection:
    """Open the warehouse and upgrade its raw tables if a migration is missing. The caller holds the build lock.

    SchemaVersionError if a later program created the warehouse, or if a `read_only` connection finds an older one.
    """
    connection = duckdb.connect(
        str(home.warehouse),
        read_only=read_only,
        config={
            "storage_compatibility_version": "v1.5.0",
            "temp_directory": str(home.temporary),
            "memory_limit": memory_limit(),
        },
    )
    try:
        connection.execute("set TimeZone = 'UTC'")  # connect refuses this option: it loads icu later
        connection.execute("set enable_progress_bar = false")  # DuckDB prints it on stdout, even without a terminal
        create_functions(connection)
        upgrade(connection, home.warehouse, read_only=read_only)
        if not read_only:
            end_retirement(connection, home.archive)
            make_all_events(connection, home.archive)
    except BaseException:
        connection.close()
        raise
    return connection


def memory_limit() -> str:
    """Return DuckDB's memory limit: half of the machine's memory, at most 5 GB, so that 8 GiB suffice for a build."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{min(total // 2, 5_000_000_000) // 1_000_000}MB"
