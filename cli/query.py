"""`tributary query`: SQL on the published marts. In: a statement. Out: its rows, as a table or as CSV."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.console import console, print_parts, readable_errors
from ingestion.home import Home
from ingestion.text import printable


def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One statement. The file is read-only.")],
    csv: Annotated[bool, typer.Option("--csv", help="Print all rows as CSV.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most rows of the table.")] = 50,
) -> None:
    """Query the published marts in SQL. Money is in micros: divide it by 1e6.

    [bold]Examples[/bold]

      tributary query "show tables"

      tributary query "from conversion_paths limit 10"
    """
    with readable_errors():
        from serving.published import open_published
        from serving.query import as_csv, as_table, run_statement

        with open_published(Home.from_environment().marts) as connection:
            result = run_statement(connection, sql)
            if csv:
                as_csv(result, sys.stdout, printable if sys.stdout.isatty() else str)
            else:
                print_parts(as_table(result, limit, console.width))
