"""Count the rows of the raw tables, for `tributary status`.

In: a connection to the warehouse (the caller holds the build lock). Out: counts by table.
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


def count_rows(connection: Connection) -> list[TableCount]:
    """Return the count of each raw table that a contract fills."""
    tables = [contract.table for contract in CONTRACTS.values()]
    counts = " union all ".join(f"select '{table}', count(*), max(_loaded_at) from {table}" for table in tables)
    found = {
        table: TableCount(table, rows, loaded_at) for table, rows, loaded_at in connection.execute(counts).fetchall()
    }
    return [found[table] for table in tables]
