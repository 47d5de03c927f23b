"""What became of pulls, as tables on the console. In: outcomes, reports. Out: parts for console.show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from orchestration.pulling.amounts import amount, units
from orchestration.pulling.load import Outcome
from orchestration.pulling.plan import Task

if TYPE_CHECKING:
    from ingestion.spend.synced.load import SyncReport


def accounts_table(tasks: Sequence[Task], outcomes: Sequence[Outcome]) -> Iterator[Any]:
    """A row an account, then what was refused."""
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
            notes.append(f"[yellow]![/yellow] {task.name}: {escape(note)}")
    yield from ("", table, "", *notes)


def synced_table(report: SyncReport) -> Iterator[Any]:
    """A row a table of spend and currency, by platform; then the tables that nothing was read from."""
    table = _table(("level", "table"), ("rows", "spend", "beyond the\nfinest"))
    platform = None
    for total in report.totals:
        if total.platform != platform:
            platform = total.platform
            table.add_row(f"[bold]{platform}[/bold]")
        beyond = "" if total.finest_spend in (None, total.spend) else units(total.spend - total.finest_spend)
        table.add_row(
            f"  {total.level}", total.table, f"{total.rows:,}", f"{units(total.spend)} {total.currency}", beyond
        )
    yield from ("", table, "")
    if report.unused:
        yield f"Not used: {escape(', '.join(report.unused))}"


def _table(texts: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in texts:
        table.add_column(heading, overflow="fold", min_width=12)
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
