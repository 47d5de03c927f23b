"""Count the rows of the raw tables and their failures, for `tributary status`.

In: a connection to the warehouse (the caller holds the build lock). Out: counts by table, and by reason.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ingestion.files.contracts import CONTRACTS
from ingestion.sql import Connection


class TableCount(NamedTuple):
    """The rows of one raw table, and the time of its last load (UTC)."""

    table: str
    rows: int
    loaded_at: datetime | None


class FailureCount(NamedTuple):
    """The failed rows of one kind and reason. example: one of them, with its file and line."""

    kind: str
    reason: str
    rows: int
    example: str


def count_rows(connection: Connection) -> list[TableCount]:
    """Return the count of each raw table that a contract fills."""
    tables = [contract.table for contract in CONTRACTS.values()]
    counts = " union all ".join(f"select '{table}', count(*), max(_loaded_at) from {table}" for table in tables)
    found = {
        table: TableCount(table, rows, loaded_at) for table, rows, loaded_at in connection.execute(counts).fetchall()
    }
    return [found[table] for table in tables]


def count_failures(connection: Connection) -> list[FailureCount]:
    """Return the counts of failed rows, the most frequent reason first."""
    rows = connection.execute("""
        select kind, reason, count(*), arg_min(source || coalesce(', line ' || line, '') || ': ' || detail, failed_id)
        from raw.failed_events
        group by kind, reason
        order by count(*) desc, kind, reason
    """).fetchall()
    return [FailureCount(*row) for row in rows]
