"""Tables of pulls for the console. In: outcomes of accounts, reports of synced tables. Out: parts for print_parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from orchestration.pulling.amounts import amount, units

if TYPE_CHECKING:
    from ingestion.spend.synced.load import SyncReport
    from orchestration.pulling.accounts import Outcome
    from orchestration.pulling.plan import Task


def accounts_table(tasks: Sequence[Task], outcomes: Sequence[Outcome]) -> Iterator[Any]:
    """Yield a table with a row for each account, then reasons and warnings."""
    heading = "account total\ndifference"
    table = _table(("account",), ("rows", "new", "changed", "withdrawn", "spend", heading))
    notes = []
    for task, outcome in zip(tasks, outcomes, strict=True):
        report = outcome.report
        name = escape(task.account.name or task.account.account_id)
        account = f"{task.platform.name} {name}"
        if report.status == "failed":
            table.add_row(account, "[red]failed[/red]")
        else:
            counts = (report.rows, report.loaded - report.replaced, report.replaced, report.withdrawn)
            spend = "\n".join(f"{amount(each.spend_micros)} {each.currency}\n" for each in report.totals)
            totals = "\n".join(
                f"{amount(each.account_spend_micros)}\n{amount(each.difference) if each.difference else ''}"
                for each in report.totals
            )
            table.add_row(account, *(f"{count:,}" for count in counts), spend.rstrip(), totals.rstrip())
        for note in filter(None, (report.reason, *outcome.warnings)):
            notes.append(f"[yellow]![/yellow] {escape(task.name)}: {escape(note)}")
    yield from ("", table, "", *notes)


def synced_table(report: SyncReport) -> Iterator[Any]:
    """Yield a table of the spend tables by platform and currency, then the unused tables."""
    table = _table(("level", "table"), ("rows", "spend", "above the\nfinest"))
    platform = None
    for total in report.totals:
        if total.platform != platform:
            platform = total.platform
            table.add_row(f"[bold]{platform}[/bold]")
        finest = total.spend if total.finest_spend is None else total.finest_spend
        above = units(total.spend - finest) if total.spend != finest else ""
        table.add_row(
            f"  {total.level}",
            escape(total.table),
            f"{total.rows:,}",
            f"{units(total.spend)} {escape(total.currency)}",
            above,
        )
    yield from ("", table, "")
    if report.unused:
        yield f"Not used: {escape(', '.join(report.unused))}"


def _table(texts: Sequence[str], numbers: Sequence[str]) -> Table:
    """Return a table that aligns its numbers right."""
    table = Table(box=None, pad_edge=False)
    for heading in texts:
        table.add_column(heading, overflow="fold", min_width=12)
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
