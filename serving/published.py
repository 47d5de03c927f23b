"""Open and read a published file.

In: a path below published/. Out: a read-only connection, rows by column.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
from rich.markup import escape

Record = dict[str, Any]  # a row by column


class NothingPublished(Exception):
    """There is no published version yet."""


class DamagedVersion(NothingPublished):
    """The published file cannot be read. A run replaces it."""


class NotFound(Exception):
    """The published version has no row with this id, or more than one."""


class WrongQuery(Exception):
    """A query is not one statement that reads."""


def open_published(path: Path) -> duckdb.DuckDBPyConnection:
    """Return a read-only connection to a published version. It cannot read or write any other file.

    It reads this version until it is closed, even if a new one is published. Raises NothingPublished or DamagedVersion.
    """
    if not path.exists():
        raise NothingPublished(f"Nothing is published at {path} yet. Run: tributary run")
    try:
        connection = duckdb.connect(str(path), read_only=True)
        connection.execute("select version from meta").fetchall()
    except duckdb.Error as error:
        raise DamagedVersion(f"{path} is damaged: {error}. Replace it with: tributary run") from None
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_external_access = false")
    return connection


def is_readable(path: Path) -> bool:
    """Return whether there is a published version at the path, and it is not damaged."""
    try:
        open_published(path).close()
    except NothingPublished:
        return False
    return True


def loaded_rows(path: Path) -> dict[str, int]:
    """Return the rows of the raw tables from which a published version was built, by table. Raises NothingPublished."""
    with open_published(path) as connection:
        loaded: dict[str, int] = json.loads(scalar(connection, "select loaded from meta"))
    return loaded


def literal(text: object) -> str:
    """Return the value as an SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


def counted(count: int, noun: str) -> str:
    """Return the count with its noun: 1 row, 1,204 rows. noun: a singular that takes an s."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def scalar(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    """Return the first column of the first row of a query; None if there is no row."""
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def records(result: duckdb.DuckDBPyConnection) -> list[Record]:
    """Return the rows of a result."""
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def escaped(record: Record) -> Record:
    """Return the record with texts that rich does not read as markup."""
    return {name: escape(value) if isinstance(value, str) else value for name, value in record.items()}


def only_one(rows: list[Record], what: str, identifier: str) -> Record:
    """Return the row with this id, or the only one with an id that begins with it. Raises NotFound."""
    exact = [row for row in rows if row["id"] == identifier] or rows
    if not exact:
        table = f"{what.split(maxsplit=1)[0]}_flags" if what == "waste flag" else f"{what}s"
        ids = f'tributary query "select {what.split(maxsplit=1)[0]}_id from {table} limit 10"'
        raise NotFound(f"No {what} begins with {identifier!r} in the published version. List some: {ids}")
    if len(exact) > 1:
        some = ", ".join(f"{row['id']} (org {row['org_id']})" for row in exact[:5])
        raise NotFound(f"Several {what}s begin with {identifier!r}, such as {some}. Give more of the id, or --org.")
    return exact[0]


def attribution_models(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the attribution models in the order of the dbt project."""
    return [
        name.removesuffix("_credit")
        for (name,) in connection.execute(
            "select column_name from duckdb_columns() where table_name = 'conversion_touches'"
            " and column_name like '%\\_credit' escape '\\' order by column_index"
        ).fetchall()
    ]


def money(micros: float) -> str:
    """Return micros as units with two decimals."""
    return f"{micros / 1e6:,.2f}"
