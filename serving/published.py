"""The published file, opened read-only: what every reader of this folder starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

Record = dict[str, Any]  # a row by column


class NothingPublished(Exception):
    """There is no published version yet."""


class NotFound(Exception):
    """An id that the published version does not have, or has more than once."""


def open_published(path: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection to a published version. It reads that version to the end, whatever is published meanwhile,
    and cannot touch any other file."""
    if not path.exists():
        raise NothingPublished(f"Nothing is published at {path} yet. Run: tributary run")
    connection = duckdb.connect(str(path), read_only=True)
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_external_access = false")
    return connection


def only_one(rows: list[Record], what: str, identifier: str) -> Record:
    """The row that an id, or an unambiguous beginning of one, names."""
    exact = [row for row in rows if row["id"] == identifier] or rows
    if not exact:
        raise NotFound(f"No {what} begins with {identifier!r} in the published version.")
    if len(exact) > 1:
        some = ", ".join(f"{row['id']} (org {row['org_id']})" for row in exact[:5])
        raise NotFound(f"{len(exact)} {what}s begin with {identifier!r}: {some}. Give more of the id, or --org.")
    return exact[0]


def scalar(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    """Return the first column of the first row of a query; None if there is no row."""
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def records(result: duckdb.DuckDBPyConnection) -> list[Record]:
    """A result as one dict a row."""
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def attribution_models(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The models in the order in which the dbt project names them."""
    return [
        name.removesuffix("_credit")
        for (name,) in connection.execute(
            "select column_name from duckdb_columns() where table_name = 'conversion_touches'"
            " and column_name like '%\\_credit' escape '\\' order by column_index"
        ).fetchall()
    ]
