"""`tributary replay failed`: what was refused goes through again, after what refused it was mended."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from cli.console import errors_for_people, say
from ingestion.home import Home

replaying = typer.Typer(
    no_args_is_help=True,
    help="Send kept rows through again.\n\n[bold]Example[/bold]\n\n  tributary replay failed --reason unknown_type",
)


@replaying.callback()
def replay() -> None:
    """Send kept rows through again."""


@replaying.command()
def failed(
    *,
    reason: Annotated[str, typer.Option(help="Why they failed, as `tributary status` names it.")],
    kind: Annotated[str | None, typer.Option(help="Only rows of this kind, such as events.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only rows received from this day (UTC) on.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would load.")] = False,
) -> None:
    """Send failed rows of one reason through again, after a fix in tributary.yaml. Twice changes nothing.

    [bold]Examples[/bold]

      tributary replay failed --reason unknown_type --dry-run

      tributary replay failed --reason bad_type --kind events --since 2026-07-01
    """
    with errors_for_people():
        from ingestion.files.contracts import KINDS, ContractError
        from ingestion.files.replay import replay_failed
        from ingestion.settings.load import load_settings
        from ingestion.warehouse import build_lock, connect

        if kind and kind not in KINDS:
            raise ContractError(f"--kind {kind}: it is one of {', '.join(KINDS)}")
        home = Home.from_environment()
        settings = load_settings(home)
        with build_lock(home, "replay", say), connect(home) as connection:
            replayed = replay_failed(
                connection,
                home,
                settings,
                reason=reason,
                kind=kind,
                since=since.date() if since else None,
                dry_run=dry_run,
            )
        say(
            f"{'would be: ' if dry_run else ''}{replayed.tried:,} tried = {replayed.loaded:,} loaded + "
            f"{replayed.duplicate:,} duplicate + {replayed.failed:,} failed"
        )
        for why, count in sorted(replayed.reasons.items()):
            say(f"  {count:,} failed: {why}")
        if replayed.loaded and not dry_run:
            say("Next: tributary run")
