"""Format a query's result. In: a result. Out: a table that fits the console, or CSV."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, TextIO

import duckdb
from rich.markup import escape
from rich.table import Table

from serving.published import WrongQuery, counted

WRITES = {"INSERT", "UPDATE", "DELETE", "MERGE_INTO", "CREATE", "DROP", "ALTER", "COPY"}


def run_statement(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyConnection:
    """Return the result of one statement that reads. Raises WrongQuery for none, several, or one that writes."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        count = "several statements" if statements else "no statement"
        raise WrongQuery(f"The SQL has {count}. Write one, such as: select * from campaigns limit 5")
    kind = statements[0].type.name
    if kind in WRITES:
        raise WrongQuery(f"{kind} would change data, and the published marts are read-only. Write a select.")
    return connection.execute(sql)


def as_table(result: duckdb.DuckDBPyConnection, limit: int, width: int = 80) -> Iterator[Any]:
    """Yield at most `limit` rows, then their number. Rows that are too wide for a table are listed value by value."""
    rows = result.fetchmany(limit + 1)
    names, kinds = [name for name, *_ in result.description], [str(kind) for _, kind, *_ in result.description]
    texts = [["" if value is None else shown(value) for value in row] for row in rows[:limit]]
    yield as_columns(names, kinds, texts) if fits(names, texts, width) else as_records(names, texts)
    shown_rows = counted(len(texts), "row")
    yield f"the first {shown_rows}; more with --limit, all with --csv" if len(rows) > limit else shown_rows


def fits(names: list[str], rows: list[list[str]], width: int) -> bool:
    """Return whether each column has enough room for its values, or at least for a word."""
    needed = (max(map(len, column)) for column in zip(names, *rows, strict=True))
    return sum(min(need, A_WORD) + 2 for need in needed) <= width + 2


def as_columns(names: list[str], kinds: list[str], rows: list[list[str]]) -> Table:
    """Return a table with numbers aligned right."""
    table = Table(box=None, pad_edge=False)
    for name, kind in zip(names, kinds, strict=True):
        is_number = kind in NUMBERS or "DECIMAL" in kind
        table.add_column(escape(name), overflow="fold", justify="right" if is_number else "left")
    for row in rows:
        table.add_row(*row)
    return table


def as_records(names: list[str], rows: list[list[str]]) -> Table:
    """Return a table with a line for each value and an empty line between rows."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for number, row in enumerate(rows):
        if number:
            table.add_row()
        for name, value in zip(names, row, strict=True):
            table.add_row(escape(name), value)
    return table


A_WORD = 12
NUMBERS = {"NUMBER", "BIGINT", "INTEGER", "DOUBLE", "FLOAT", "HUGEINT", "SMALLINT", "TINYINT", "UBIGINT"}


def shown(value: Any) -> str:
    """Return a value as text: floats rounded to four digits, decimals to six, which hold money to the micro."""
    if isinstance(value, float | Decimal):
        digits = 4 if isinstance(value, float) else 6
        return f"{value:,.{digits}f}".rstrip("0").rstrip(".")
    return escape(str(value))


def as_csv(result: duckdb.DuckDBPyConnection, out: TextIO, write_text: Callable[[str], str] = str) -> None:
    """Write all rows with a header. write_text: applied to each text; a terminal must not get control characters."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([write_text(column[0]) for column in result.description])
    while rows := result.fetchmany(10_000):
        writer.writerows([[write_text(value) if isinstance(value, str) else value for value in row] for row in rows])
