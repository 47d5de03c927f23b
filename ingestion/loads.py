"""The manifest of loads: one row of raw.loads for each file, segment or pull, and what a load shares with every other.

In: a connection to the warehouse. Out: Load, LoadReport, rows of raw.loads, transactions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import msgspec

from ingestion.sql import Connection, literal


class LoadReport(msgspec.Struct, frozen=True):
    """What became of rows: received = loaded + duplicate + failed + limited; some of the loaded `replaced` one."""

    kind: str
    source: str
    received: int
    loaded: int
    duplicate: int
    failed: int
    replaced: int
    reasons: dict[str, int]  # failed rows by reason
    limited: int = 0  # refused by the collector, since their site sent too many
    withdrawn: int = 0  # stored rows that the source no longer has, beside those that were replaced


class Load(msgspec.Struct, frozen=True):
    """One row of raw.loads to be: what is loaded, and when, UTC."""

    load_id: str
    source: str
    format: str
    loaded_at: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC).replace(tzinfo=None))

    @property
    def stamp(self) -> str:
        """SQL of _load_id and _loaded_at."""
        return f"{literal(self.load_id)}, {literal(self.loaded_at)}::timestamp"


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """All of it or nothing."""
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def clear(connection: Connection) -> None:
    """Drop what a load leaves: every temporary table."""
    tables = connection.execute("select table_name from duckdb_tables() where temporary").fetchall()
    for (table,) in tables:
        connection.execute(f"drop table temp.{table}")


def record_load(connection: Connection, report: LoadReport, load: Load) -> None:
    """The manifest's row."""
    connection.execute(
        f"insert into raw.loads by name select load_id, {literal(report.kind)} as kind,"
        f" {literal(report.source)} as source,"
        f" {literal(load.format)} as format, loaded_at, {report.received} as received_rows,"
        f" {report.loaded} as loaded_rows, {report.duplicate} as duplicate_rows, {report.failed} as failed_rows,"
        f" {report.replaced} as replaced_rows, {report.limited} as limited_rows"
        f" from (select {load.stamp}) as load (load_id, loaded_at)"
    )


def later(connection: Connection, kind: str, moment: datetime) -> datetime:
    """The moment, or one after every load of the kind, whatever the clock says: a history is replayed in this order."""
    (last,) = connection.execute("select max(loaded_at) from raw.loads where kind = $1", [kind]).fetchone() or (None,)
    return max(moment, last + timedelta(microseconds=1)) if last else moment
