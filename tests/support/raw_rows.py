"""Insert rows into the raw tables of a warehouse.

In: a connection and the columns of a row that matter to a test. Out: the row, with every required column set.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import duckdb

LOADED = {"_content_hash": "", "_load_id": "load", "_loaded_at": datetime(2026, 7, 1, 12)}


def insert(connection: duckdb.DuckDBPyConnection, table: str, defaults: Mapping[str, Any] = LOADED, **row: Any) -> None:
    """Insert one row into a raw table. `defaults` gives the columns that the table has and the row does not name."""
    columns = _columns(connection, table)
    values = {name: value for name, value in defaults.items() if name in columns} | row
    marks = ", ".join("?" * len(values))
    connection.execute(f"insert into raw.{table} ({', '.join(values)}) values ({marks})", list(values.values()))


_known: dict[str, frozenset[str]] = {}  # table -> its columns; DuckDB needs longer to list them than to insert a row


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> frozenset[str]:
    if table not in _known:
        sql = "select column_name from duckdb_columns() where schema_name = 'raw' and table_name = ?"
        _known[table] = frozenset(name for (name,) in connection.execute(sql, [table]).fetchall())
    return _known[table]
