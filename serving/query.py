"""A result as a person or a program reads it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TextIO

import duckdb
from rich.markup import escape
from rich.table import Table


def as_table(result: duckdb.DuckDBPyConnection, limit: int) -> Iterator[Any]:
    """At most `limit` rows as a table that fits the terminal, and how many rows there are."""
    rows = result.fetchmany(limit + 1)
    table = Table(box=None, pad_edge=False)
    for name, kind, *_ in result.description:
        table.add_column(
            name, overflow="fold", justify="right" if str(kind) in NUMBERS or "DECIMAL" in str(kind) else "left"
        )
    for row in rows[:limit]:
        table.add_row(*("" if value is None else shown(value) for value in row))
    yield table
    yield (
        f"the first {limit} rows; more with --limit, all with --csv"
        if len(rows) > limit
        else f"{len(rows)} row{'s' * (len(rows) != 1)}"
    )


NUMBERS = {"NUMBER", "BIGINT", "INTEGER", "DOUBLE", "FLOAT", "HUGEINT", "SMALLINT", "TINYINT", "UBIGINT"}


def shown(value: Any) -> str:
    """Fractions without their last noise, decimals never in powers of ten; everything else as it is."""
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return escape(str(value))


def as_csv(result: duckdb.DuckDBPyConnection, out: TextIO) -> None:
    """Every row, with a header."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column[0] for column in result.description])
    while rows := result.fetchmany(10_000):
        writer.writerows(rows)
