"""`tributary run`: build the graph, unless nothing changed. In: options. Out: published marts and a summary."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from cli.console import DISK_FULL, FAILED, WRONG_INPUT, fail, is_disk_full, print_line, print_parts, readable_errors
from cli.stop import when_stopped
from ingestion.home import Home
from ingestion.text import counted


def run(
    select: Annotated[str | None, typer.Option(help="Build these assets only, in Dagster's selection syntax.")] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Build everything again, even if nothing is new.")
    ] = False,
) -> None:
    """Import waiting files, build all models, publish the marts and print a summary.

    If no file, segment, pull, setting, rule or code is new, the command ends at once.

    [bold]Examples[/bold]

      tributary run

      tributary run --select 'group:raw'

      tributary run --select '+key:"marts/touchpoints"'
    """
    when_stopped(
        "Published files stay as the last complete run left them, and nothing is half-written. To continue, run:"
        " tributary run"
    )
    with readable_errors():
        from ingestion.settings.load import load_settings
        from ingestion.warehouse import REBUILD, build_lock, connect, is_damage
        from orchestration.changes import BUILD, nothing_new, reasons

        started = time.monotonic()
        home = Home.from_environment()
        load_settings(home)
        with build_lock(home, "run", print_line):
            if not (select or full_refresh or reasons(home, BUILD)):
                print_line(nothing_new(home))
                report_unloaded(home)
                return
            connect(home).close()  # refuses the warehouse of a later program before Dagster starts
        from orchestration.run import SelectionError, run_graph

        try:
            problems = run_graph(home, select=select, full_refresh=full_refresh, log=print_line)
        except SelectionError as error:
            fail(error, WRONG_INPUT)
        if problems:
            if any(map(is_disk_full, problems)):
                fail(DISK_FULL, FAILED)
            kept = "The last published version stays in place." if home.marts.exists() else "Nothing was published."
            lost = [f"{home.warehouse} is damaged. {REBUILD}"] if any(map(is_damage, problems)) else []
            fail("\n".join([*problems, *lost, kept]), FAILED)
        print_line(f"done in {time.monotonic() - started:.0f} s\n")
        if not select:
            from cli.run_summary import run_summary

            print_parts(run_summary(home))
        report_unloaded(home)


def report_unloaded(home: Home) -> None:
    """Warn of rejected files. Exit with 1 if other files could not be loaded. Everything else was published."""
    from ingestion.files.inbox import rejected_files
    from orchestration.unloaded_files import unloaded_files

    for name, reason in rejected_files(home).items():
        print_line(f"warning: inbox/rejected/{name}: {reason}")
    if errors := unloaded_files(home).values():
        advice = "Everything else was loaded. Correct or remove these files, then run: tributary run"
        fail("\n".join([f"{counted(len(errors), 'file')} could not be loaded:", *errors, advice]), FAILED)
