"""`tributary pull`: pull spend, exchange rates or synced tables. In: a platform, days. Out: raw tables, row counts."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from cli.console import FAILED, fail, print_line, print_parts, readable_errors
from cli.stop import raise_at_signals
from cli.usage import day
from ingestion.text import counted

if TYPE_CHECKING:
    from ingestion.home import Home
    from ingestion.settings.model import Settings
    from orchestration.pulling.accounts import Outcome
    from orchestration.pulling.plan import Days, Task


class Pulled(NamedTuple):
    """Whether a part of what was asked for is loaded, and whether a part failed."""

    loaded: bool
    failed: bool


def pull(
    what: Annotated[str, typer.Argument(metavar="PLATFORM|all|ecb|synced", help="meta, google...; all: everything.")],
    first: Annotated[date | None, typer.Option("--from", parser=day, metavar="DAY", help="First day.")] = None,
    last: Annotated[
        date | None, typer.Option("--to", parser=day, metavar="DAY", help="Last day. Default: yesterday.")
    ] = None,
    account: Annotated[list[str] | None, typer.Option(help="Pull this account only. Repeatable.")] = None,
) -> None:
    """Pull spend from ad platforms: the days that the platform may still restate, or the days that you name.

    Pulled days replace the stored ones; raw.ad_spend_history keeps the replaced rows. A failed pull, or a day without
    rows, changes nothing. Days are in the account's time zone.

    ecb: exchange rates of the European Central Bank. synced: tables that another tool syncs.

    [bold]Examples[/bold]

      tributary pull meta

      tributary pull google --from 2026-01-01 --to 2026-03-31 --account 4821139007

      tributary pull all
    """
    with readable_errors():
        from ingestion.home import Home
        from ingestion.settings.load import load_settings

        home = Home.from_environment()
        days = (first, last)
        raise_at_signals()  # to report loaded accounts to Dagster, whose sensor then builds the marts
        try:
            found = pull_everything(home, load_settings(home), what, days, account or [])
        except KeyboardInterrupt as interrupt:
            print_line("Stopped. Loaded accounts stay loaded, the others are unchanged.")
            sys.stdout.flush()
            os._exit(
                128 + interrupt.args[0]
            )  # at once: the interpreter would complain about threads that wait for the network
        if found.loaded:
            print_line("Next: tributary run")
        if found.failed:
            fail(f"{'A' if found.loaded else 'Every'} pull failed. The stored days are unchanged.", FAILED)


def pull_everything(home: Home, settings: Settings, what: str, days: Days, only: list[str]) -> Pulled:
    """Pull all that was asked for, even if a part fails."""
    from orchestration.pulling import plan
    from orchestration.pulling.plan import OTHERS, PullError

    if only and what in OTHERS:
        raise PullError(f"--account needs a platform. Run: tributary pull PLATFORM --account {only[0]}")
    if what == "synced" and any(days):
        raise PullError("Synced tables are read whole. Omit --from and --to.")
    if what == "ecb" and days[1]:
        raise PullError("Rates are pulled up to the latest. Omit --to.")
    tasks: list[Task] = []
    if what == "all":
        tasks = plan.all_tasks(home, settings, days, print_line)
    elif what not in OTHERS:
        tasks = plan.platform_tasks(settings, plan.find_platform(what, OTHERS), days, only)
    needs_rates = what == "ecb" or (what == "all" and plan.has_foreign_currency(settings))
    needs_synced = what == "synced" or (what == "all" and bool(settings.synced))
    if what == "synced" and not settings.synced:
        raise PullError("tributary.yaml has no `synced`. Add `synced: [{path: FOLDER, org: ORG, tool: fivetran}]`.")
    if not (tasks or needs_rates or needs_synced):
        raise PullError("Nothing is connected yet. Run: tributary connect PLATFORM, such as meta or google")
    parts = [
        *([pull_accounts(home, settings, tasks)] if tasks else []),
        *([pull_rates(home, settings, days[0])] if needs_rates else []),
        *([pull_synced(home, settings)] if needs_synced else []),
    ]
    return Pulled(any(part.loaded for part in parts), any(part.failed for part in parts))


def pull_accounts(home: Home, settings: Settings, tasks: list[Task]) -> Pulled:
    """Pull accounts and report them to Dagster."""
    from cli.pull_tables import accounts_table
    from orchestration.pulling import accounts

    found: dict[int, Outcome] = {}
    try:
        with closing(accounts.pull_accounts(home, settings, tasks, log=print_line)) as outcomes:
            for index, outcome in outcomes:
                found[index] = outcome
                if not outcome.is_whole:
                    print_line(f"{tasks[index].name}: {outcome.report.status}")
    finally:  # also after an interruption, for the accounts that were loaded
        if found:
            from orchestration.pulling.metadata import report_pulls  # takes a second to import

            order = sorted(found)
            print_parts(accounts_table([tasks[index] for index in order], [found[index] for index in order]))
            report_pulls(home, [found[index] for index in order], print_line)
    return Pulled(
        loaded=any(outcome.report.status != "failed" for outcome in found.values()),
        failed=not all(outcome.is_whole for outcome in found.values()),
    )


def pull_rates(home: Home, settings: Settings, since: date | None) -> Pulled:
    """Pull exchange rates and report them to Dagster."""
    from connectors.http.errors import VendorError
    from orchestration.pulling import exchange_rates
    from orchestration.pulling.metadata import ECB, of_rates, report_other

    today = datetime.now(UTC).date()
    try:
        report = exchange_rates.pull_rates(home, settings, since=since, today=today, log=print_line)
    except VendorError as error:
        print_line(f"! ecb: {error}")
        return Pulled(loaded=False, failed=True)
    print_line(f"ecb: {counted(report.received, 'rate')}, {report.loaded:,} of them new or changed")
    report_other(home, ECB, of_rates(report))
    return Pulled(loaded=True, failed=False)


def pull_synced(home: Home, settings: Settings) -> Pulled:
    """Load synced tables and report them to Dagster."""
    from cli.pull_tables import synced_table
    from orchestration.pulling import synced
    from orchestration.pulling.metadata import SYNCED, of_synced, report_other

    reports, errors = synced.pull_synced(home, settings, log=print_line)
    print_parts(part for report in reports for part in synced_table(report))
    for error in errors:
        print_line(f"! synced: {error}")
    if reports:
        report_other(home, SYNCED, of_synced(reports))
    return Pulled(loaded=bool(reports), failed=bool(errors))
