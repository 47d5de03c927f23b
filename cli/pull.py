"""`tributary pull`: what is to be pulled, a few accounts at a time, and a table of what became of it."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import FAILED, WRONG_INPUT, errors_for_people, fail, say, show

if TYPE_CHECKING:
    from ingestion.home import Home
    from ingestion.settings.model import Settings
    from orchestration.pulling.load import Outcome
    from orchestration.pulling.plan import Days, Task

DAY = ["%Y-%m-%d"]
INTERRUPTED = 130  # as shells have it


def pull(
    what: Annotated[str, typer.Argument(metavar="PLATFORM|all|ecb|synced", help="meta, google...; all: everything.")],
    first: Annotated[datetime | None, typer.Option("--from", formats=DAY, help="First day of the account.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=DAY, help="Last day; else yesterday.")] = None,
    account: Annotated[list[str] | None, typer.Option(help="Only this account; as often as needed.")] = None,
) -> None:
    """Pull spend from the ad platforms, as far back as they may still change it, or the days that you name.

    What is pulled replaces what was stored of the same days; what it replaced stays in raw.ad_spend_history. A pull
    that fails, and a day that comes empty, leave what was stored as it was. ecb: the exchange rates of the European
    Central Bank. synced: the tables that another tool syncs.

    [bold]Examples[/bold]

      tributary pull meta

      tributary pull google --from 2026-01-01 --to 2026-03-31 --account 1234567890

      tributary pull all
    """
    with errors_for_people():
        from ingestion.home import Home
        from ingestion.settings.load import load_settings
        from orchestration.pulling.plan import PullError

        home = Home.from_environment()
        days = (first and first.date(), last and last.date())
        try:
            failed = pulled(home, load_settings(home), what, days, account or [])
        except PullError as error:
            fail(error, WRONG_INPUT)
        except KeyboardInterrupt:
            say("Stopped: what was loaded stays, the rest is as it was")
            sys.stdout.flush()
            os._exit(INTERRUPTED)  # at once: the interpreter complains of threads that still wait for the network
        say("Next: tributary run")
        if failed:
            fail("not all was pulled; what was stored of the rest stays as it was", FAILED)


def pulled(home: Home, settings: Settings, what: str, days: Days, only: list[str]) -> bool:
    """Pull what was asked for, each thing whatever became of the others; whether something failed."""
    from orchestration.pulling import plan
    from orchestration.pulling.plan import OTHERS, PullError

    if only and what in OTHERS:
        raise PullError(f"--account: say whose account it is: tributary pull PLATFORM --account {only[0]}")
    if what == "synced" and any(days):
        raise PullError("--from, --to: what another tool synced is read whole: leave them out")
    if what == "ecb" and days[1]:
        raise PullError("--to: rates are pulled up to the latest: leave it out")
    tasks: list[Task] = []
    if what == "all":
        tasks = plan.all_tasks(home, settings, days, say)
    elif what not in OTHERS:
        tasks = plan.tasks_of(settings, plan.platform_called(what), days, only)
    wants_rates = what == "ecb" or (what == "all" and plan.has_foreign_currency(settings))
    wants_synced = what == "synced" or (what == "all" and bool(settings.synced))
    if what == "synced" and not settings.synced:
        raise PullError("tributary.yaml has no `synced:`: add - {path: FOLDER, org: ORG, tool: fivetran} under it")
    if not (tasks or wants_rates or wants_synced):
        raise PullError("nothing can be pulled yet: tributary connect PLATFORM, such as meta or google")
    went_well = [
        not tasks or pull_accounts(home, settings, tasks),
        not wants_rates or pull_rates(home, settings, days[0]),
        not wants_synced or pull_synced(home, settings),
    ]
    return not all(went_well)


def pull_accounts(home: Home, settings: Settings, tasks: list[Task]) -> bool:
    """Pull a few at a time; whether all went well. Dagster's UI shows it as it shows its own runs."""
    from cli.pull_tables import accounts_table
    from orchestration.pulling import accounts

    found: dict[int, Outcome] = {}
    try:
        with closing(accounts.pull_accounts(home, settings, tasks, say=say)) as outcomes:
            for number, outcome in outcomes:
                found[number] = outcome
                if not outcome.is_whole:
                    say(f"{tasks[number].name}: {outcome.report.status}")
    finally:  # what was loaded before an interruption is there
        if found:
            from orchestration.pulling.metadata import report  # takes a second to import

            order = sorted(found)
            show(accounts_table([tasks[number] for number in order], [found[number] for number in order]))
            report(home, [found[number] for number in order], say)
    return all(outcome.is_whole for outcome in found.values())


def pull_rates(home: Home, settings: Settings, since: date | None) -> bool:
    from connectors.http.errors import VendorError
    from orchestration.pulling import rates_and_synced
    from orchestration.pulling.metadata import ECB, of_rates, report_other

    try:
        report = rates_and_synced.pull_rates(home, settings, since=since, today=datetime.now(UTC).date(), say=say)
    except VendorError as error:
        say(f"! ecb: {error}")
        return False
    say(f"ecb: {report.received:,} rates, {report.loaded:,} of them new or changed")
    report_other(home, ECB, of_rates(report))
    return True


def pull_synced(home: Home, settings: Settings) -> bool:
    from cli.pull_tables import synced_table
    from orchestration.pulling import rates_and_synced
    from orchestration.pulling.metadata import SYNCED, of_synced, report_other

    reports, errors = rates_and_synced.pull_synced(home, settings, say=say)
    show(part for report in reports for part in synced_table(report))
    for error in errors:
        say(f"! synced: {error}")
    if reports:
        report_other(home, SYNCED, of_synced(reports))
    return not errors
