"""`tributary replay failed`: load failed rows again. In: a reason. Out: rows in the raw tables, and counts."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from cli.console import print_line, readable_errors
from cli.usage import day
from ingestion.home import Home

replay = typer.Typer(
    no_args_is_help=True,
    help="Load failed rows again.\n\n[bold]Example[/bold]\n\n  tributary replay failed --reason unknown_type",
)


@replay.callback()
def callback() -> None:
    """Keep `failed` a command of the group, though it is the only one."""


@replay.command()
def failed(
    *,
    reason: Annotated[str, typer.Option(help="The reason of the failure, as `tributary status` shows it.")],
    kind: Annotated[str | None, typer.Option(help="Only rows of this kind, such as events.")] = None,
    since: Annotated[
        date | None, typer.Option(parser=day, metavar="DAY", help="Only rows received on or after this day (UTC).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count the rows that would load.")] = False,
) -> None:
    """Load failed rows of one reason again, after you corrected tributary.yaml. Repeating the command is harmless.

    [bold]Examples[/bold]

      tributary replay failed --reason unknown_type --dry-run

      tributary replay failed --reason unknown_type --kind events --since 2026-07-01
    """
    with readable_errors():
        from ingestion.files.contracts import KINDS, ContractError
        from ingestion.files.failed_rows import check_reason
        from ingestion.files.replay import replay_failed
        from ingestion.settings.load import load_settings
        from ingestion.warehouse import build_lock, connect

        if kind and kind not in KINDS:
            raise ContractError(f"--kind {kind} is unknown. Use one of {', '.join(KINDS)}.")
        home = Home.from_environment()
        settings = load_settings(home)
        with build_lock(home, "replay", print_line), connect(home) as connection:
            check_reason(connection, "--reason", reason)
            replayed = replay_failed(
                connection,
                home,
                settings,
                reason=reason,
                kind=kind,
                since=since,
                dry_run=dry_run,
            )
        print_line(
            f"{'would be: ' if dry_run else ''}{replayed.tried:,} tried = {replayed.loaded:,} loaded + "
            f"{replayed.duplicate:,} duplicate + {replayed.failed:,} failed"
        )
        for failure, count in sorted(replayed.reasons.items()):
            print_line(f"  {count:,} failed: {failure}")
        if replayed.loaded and not dry_run:
            print_line("Next: tributary run")
