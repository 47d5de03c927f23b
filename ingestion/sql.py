"""Text as SQL: names and values quoted, so that no input is ever read as a statement.

In: text. Out: SQL. Connection is DuckDB's, by a shorter name.
"""

from __future__ import annotations

import duckdb

Connection = duckdb.DuckDBPyConnection


def quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """The value as an SQL string."""
    return "'" + str(text).replace("'", "''") + "'"
