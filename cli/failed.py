"""`tributary failed`: failed rows by reason, and their removal.

In: options. Out: counts, examples and remedies; with --dismiss, a warehouse without the rows of a reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.padding import Padding

from cli.console import plain_table, print_line, print_parts, readable_errors
from cli.usage import day
from ingestion.home import Home
from ingestion.text import counted

if TYPE_CHECKING:
    from ingestion.files.failed_rows import FailedRows
    from ingestion.sql import Connection


def failed(
    *,
    kind: Annotated[str | None, typer.Option(help="Only rows of this kind, such as events.")] = None,
    since: Annotated[
        date | None, typer.Option(parser=day, metavar="DAY", help="Only rows received on or after this day (UTC).")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="List the rows of this reason.")] = None,
    rows: Annotated[bool, typer.Option("--rows", help="With --reason: show the rows, without personal data.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="With --reason: most rows of the list.")] = 50,
    dismiss: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Remove the rows of this reason. raw.dismissed_rows counts them."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --dismiss: only count the rows.")] = False,
) -> None:
    """List failed rows by reason, with an example and what to do. A corrected import clears them.

    [bold]Examples[/bold]

      tributary failed

      tributary failed --reason bad_money --kind spend --rows

      tributary failed --dismiss torn_line --since 2026-07-01 --dry-run
    """
    with readable_errors():
        from ingestion.files.contracts import KINDS, ContractError
        from ingestion.files.failed_rows import check_reason, chosen_rows, count_failed, dismiss_failed
        from ingestion.settings.load import load_settings
        from ingestion.warehouse import build_lock, connect, has_data

        if kind and kind not in KINDS:
            raise ContractError(f"--kind {kind} is unknown. Use one of {', '.join(KINDS)}.")
        if dismiss and reason:
            raise ContractError("--reason lists rows, and --dismiss removes them. Use one of them.")
        if rows and not reason:
            raise ContractError("--rows needs --reason REASON.")
        if dry_run and not dismiss:
            raise ContractError("--dry-run needs --dismiss REASON.")
        home = Home.from_environment()
        load_settings(home)
        if not (home.warehouse.exists() or has_data(home)):
            print_line(f"Nothing is loaded in {home.root} yet.")
            return
        chosen = chosen_rows(reason=dismiss or reason, kind=kind, since=since)
        with build_lock(home, "failed", print_line), connect(home) as connection:
            if name := dismiss or reason:
                check_reason(connection, "--dismiss" if dismiss else "--reason", name)
            if dismiss:
                count = dismiss_failed(connection, chosen, dry_run=dry_run)
                print_line(f"{'would be: ' if dry_run else ''}{counted(count, 'row')} dismissed: {dismiss}")
            elif reason:
                print_parts(listed(connection, chosen, limit, with_payload=rows))
            else:
                print_parts(overview(count_failed(connection, chosen)))
        if dismiss and count and not dry_run:
            print_line("Next: tributary run")


def overview(found: Sequence[FailedRows]) -> Iterator[Any]:
    """Yield a table of the reasons, then an example and the remedy of each."""
    from ingestion.files.failed_rows import remedy

    if not found:
        yield "No row has failed."
        return
    table = plain_table("reason", "kind", "rows", "first seen", "last seen")
    for each in found:
        table.add_row(
            escape(each.reason),
            each.kind,
            f"{each.rows:,}",
            f"{each.first_seen:%Y-%m-%d}",
            f"{each.last_seen:%Y-%m-%d}",
        )
    yield table
    for each in found:
        yield ""
        yield f"[bold]{escape(each.reason)}[/bold] of {each.kind}, for example"
        yield Padding(escape(each.example), (0, 0, 0, 2), expand=False)
        yield Padding(f"To do: {escape(remedy(each.reason))}", (0, 0, 0, 2), expand=False)
    yield ""
    yield "List the rows of a reason: tributary failed --reason REASON"
    yield "Remove rows that need no correction: tributary failed --dismiss REASON"


def listed(connection: Connection, chosen: str, limit: int, *, with_payload: bool) -> Iterator[Any]:
    """Yield the file, the line and the sentence of each chosen row, and the rest's number."""
    from ingestion.files.failed_rows import count_failed, list_failed, remedy

    found = count_failed(connection, chosen)
    total = sum(each.rows for each in found)
    for row in list_failed(connection, chosen, limit):
        yield f"{escape(row.place)} ({row.kind}): {escape(row.detail)}"
        if with_payload:
            yield f"  {escape(row.payload)}"
    if total > limit:
        yield f"and {total - limit:,} more: --limit {total}"
    yield counted(total, "row")
    if found:
        yield f"To do: {escape(remedy(found[0].reason))}"
