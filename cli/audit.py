"""`tributary audit`: log-ins, keys, exports and marks of waste. In: options. Out: a table, or CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import print_line, print_parts, readable_errors
from ingestion.home import Home
from ingestion.text import printable

if TYPE_CHECKING:
    from serving.access.state import AuditRow


def audit(
    *,
    org: Annotated[str | None, typer.Option(help="Only rows of this org. Log-ins of people belong to no org.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most rows, the newest first.")] = 50,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Show who logged in, created keys, exported data and marked waste. Times are UTC.

    [bold]Examples[/bold]

      tributary audit

      tributary audit --org northwind --limit 1000 --csv
    """
    with readable_errors():
        from serving.access.state import State

        rows = State(Home.from_environment().serving_state).audit(org, limit)
        if as_csv:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(["at", "principal", "action", "org", "detail"])
            for row in rows:
                cells = (row.principal, row.action, row.org or "", shown(row.detail))
                writer.writerow([f"{row.at:%Y-%m-%d %H:%M:%S}", *map(printable, cells)])
        elif rows:
            print_parts(audit_table(rows))
        else:
            print_line("Nothing is recorded yet.")


def audit_table(rows: list[AuditRow]) -> Iterator[Any]:
    """Yield a table of audit rows that fits a terminal."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("at", "principal", "action", "org", "detail"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("at", "action"))
    for row in rows:
        cells = (row.principal, row.action, row.org or "", shown(row.detail))
        table.add_row(f"{row.at:%Y-%m-%d %H:%M}", *map(escape, cells))
    yield table


def shown(detail: Mapping[str, Any]) -> str:
    """Return the details on one line."""
    values = {name: " ".join(value) if isinstance(value, list) else value for name, value in detail.items()}
    return ", ".join(f"{name}: {value}" for name, value in values.items() if value != "")
