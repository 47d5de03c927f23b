"""The warehouse: one DuckDB file with one writer, and the lock of that writer.

In: a Home. Out: connections whose raw tables exist, and locks that the operating system frees with their process.
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

import duckdb

from ingestion.home import Home
from ingestion.privacy.sql import create_functions
from ingestion.segments.archive import end_retirement, make_all_events

SCHEMAS = Path(__file__).parent / "schemas"


def lock_holder(home: Home) -> dict | None:
    """Who holds the build lock right now ({what, pid, since}), or None."""
    try:
        with home.lock.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return json.loads(file.read() or "{}")
    except FileNotFoundError:
        pass
    return None


@contextmanager
def build_lock(home: Home, what: str, say: Callable[[str], None] = lambda message: None) -> Iterator[None]:
    """Hold the one writer's place for a whole build; wait for it, and say for whom."""
    with held(home.lock, what, say):
        yield


@contextmanager
def held(lock: Path, what: str, say: Callable[[str], None] = lambda message: None) -> Iterator[None]:
    """Hold the file's lock, over all processes; wait for it, and say for whom.

    The operating system frees a flock when its process dies, however it dies: nobody ever waits for the dead.
    """
    with lock.open("a+") as file:
        told = None
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                file.seek(0)
                holder = file.read()
                if holder != told:
                    told = holder
                    try:
                        other = json.loads(holder)
                        say(f"waiting for {other['what']} (process {other['pid']}, since {other['since']})")
                    except (ValueError, KeyError):
                        say("waiting for another build")
                time.sleep(0.2)
        file.seek(0)
        file.truncate()
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        file.write(json.dumps({"what": what, "pid": os.getpid(), "since": since}))
        file.flush()
        yield


def connect(home: Home, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to the warehouse, its raw tables made. The caller holds the build lock."""
    connection = duckdb.connect(
        str(home.warehouse),
        read_only=read_only,
        config={
            "storage_compatibility_version": "v1.5.0",
            "temp_directory": str(home.temporary),
            "memory_limit": memory_limit(),
        },
    )
    connection.execute("set TimeZone = 'UTC'")  # refused at connect: icu is not loaded by then
    connection.execute("set enable_progress_bar = false")  # it would print on stdout, terminal or not
    create_functions(connection)
    if not read_only:
        connection.execute("create schema if not exists raw")
        for ddl in sorted(SCHEMAS.glob("*.sql")):
            connection.execute(ddl.read_text())
        end_retirement(connection, home.archive)
        make_all_events(connection, home.archive)
    return connection


def memory_limit() -> str:
    """DuckDB's share of the machine: half of what is there, at most 5 GB, so that 8 GiB are enough for a build."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{min(total // 2, 5_000_000_000) // 1_000_000}MB"
