"""SQL building blocks: quoted names and values, transactions, single values.

In: text, or a DuckDB connection. Out: SQL that no input can break out of, and results. Connection is DuckDB's class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

Connection = duckdb.DuckDBPyConnection


def quoted(name: str) -> str:
    """Return the name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """Return the value as an SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


def scalar(connection: Connection, query: str, parameters: Sequence[object] = ()) -> Any:
    """Return the first column of the first row of a query; None if there is no row."""
    row = connection.execute(query, parameters).fetchone()
    return row[0] if row else None


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Commit everything that the block executes, or roll all of it back on an error."""
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def has_temporary_table(connection: Connection, name: str) -> bool:
    """Return whether the connection has a temporary table of this name."""
    count = scalar(connection, "select count(*) from duckdb_tables() where temporary and table_name = $1", [name])
    return bool(count)


def drop_temporary_tables(connection: Connection, *, keep: Sequence[str] = ()) -> None:
    """Drop every temporary table of the connection but those to keep."""
    tables = connection.execute("select table_name from duckdb_tables() where temporary").fetchall()
    for (table,) in tables:
        if table not in keep:
            connection.execute(f"drop table temp.{quoted(table)}")
