"""`tributary run`: build the graph, unless nothing changed. In: options. Out: published marts and a summary."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from cli.console import FAILED, WRONG_INPUT, fail, print_line, print_parts, readable_errors
from ingestion.home import Home


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
    with readable_errors():
        from ingestion.settings.load import load_settings
        from ingestion.warehouse import build_lock, connect
        from orchestration.changes import BUILD, nothing_new, reasons

        started = time.monotonic()
        home = Home.from_environment()
        load_settings(home)
        with build_lock(home, "run", print_line):
            if not (select or full_refresh or reasons(home, BUILD)):
                print_line(nothing_new(home))
                return
            connect(home).close()  # refuses the warehouse of a later program before Dagster starts
        from orchestration.run import SelectionError, run_graph

        try:
            problems = run_graph(home, select=select, full_refresh=full_refresh, log=print_line)
        except SelectionError as error:
            fail(error, WRONG_INPUT)
        if problems:
            kept = "The last published version stays in place." if home.marts.exists() else "Nothing was published."
            fail("\n".join([*problems, kept]), FAILED)
        print_line(f"done in {time.monotonic() - started:.0f} s\n")
        if not select:
            from cli.run_summary import run_summary

            print_parts(run_summary(home))
