"""`tributary query`: SQL on the published marts, or on the warehouse. In: a statement. Out: a table, or CSV."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import WRONG_INPUT, console, error_console, fail, print_parts, readable_errors
from ingestion.home import Home
from ingestion.text import printable

if TYPE_CHECKING:
    import duckdb


def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One statement. The file is read-only.")],
    raw: Annotated[
        bool, typer.Option("--raw", help="Query the warehouse: raw.*, staging.*, intermediate.*, marts.*.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print all rows as CSV.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most rows of the table.")] = 50,
) -> None:
    """Query the published marts in SQL. Columns that end in _micros are money: divide them by 1e6.

    With --raw, the query waits while a run uses the warehouse, and a run waits for the query.

    [bold]Examples[/bold]

      tributary query "show tables"

      tributary query "from campaign_daily where org_id = 'northwind' limit 10"

      tributary query --raw "select * from raw.loads order by loaded_at desc limit 10"
    """
    with readable_errors():
        from serving.published import open_published
        from serving.query import as_csv, as_table, run_statement

        home = Home.from_environment()
        with open_warehouse(home, sql) if raw else open_published(home.marts) as connection:
            result = run_statement(connection, sql)
            if csv:
                as_csv(result, sys.stdout, printable if sys.stdout.isatty() else str)
            else:
                print_parts(as_table(result, limit, console.width))


@contextmanager
def open_warehouse(home: Home, sql: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Hold the build lock, and yield a read-only connection to the warehouse and to its archived events."""
    import duckdb

    from ingestion.sql import literal
    from ingestion.warehouse import build_lock, connect, has_data
    from serving.published import NothingPublished

    if not home.warehouse.exists() and not has_data(home):
        raise NothingPublished(f"{home.warehouse} does not exist yet. Load data with: tributary run")
    with (
        build_lock(home, "query --raw", lambda message: error_console.print(message, markup=False)),
        connect(home, read_only=True) as connection,
    ):
        events = home.archive / "events"  # the view raw.all_events reads them
        connection.execute(f"set allowed_directories = [{literal(f'{events}/')}]")
        connection.execute("set enable_external_access = false")
        if any(each.type == duckdb.StatementType.COPY for each in connection.extract_statements(sql)):
            fail("A query writes no file. Print its rows with --csv.", WRONG_INPUT)
        yield connection
