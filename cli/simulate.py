"""`tributary simulate`: simulate input files. In: options. Out: files in the inbox, entries in tributary.yaml."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from cli.console import print_line, readable_errors
from cli.stop import when_stopped
from cli.usage import day
from ingestion.home import Home

FIRST_DAY = date(2026, 7, 1)


def simulate(
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 7,
    start: Annotated[date, typer.Option(parser=day, metavar="DAY", help="First day.")] = FIRST_DAY,
    days: Annotated[int, typer.Option(min=7, help="Number of days.")] = 92,
    events: Annotated[int, typer.Option(min=100, help="Least number of web events.")] = 240_000,
) -> None:
    """Write three months of simulated marketing of two shops into the inbox. `tributary run` imports it.

    `simulated_truth.json` has the orders that each campaign caused, to compare with the models.

    [bold]Example[/bold]

      tributary simulate --days 30 --events 20000 && tributary run
    """
    when_stopped("Some files are missing in the inbox. To write all, run the same command again.")
    with readable_errors():
        from ingestion.settings.load import add_to_settings
        from ingestion.simulator.input_files import simulate as write_input_files

        home = Home.from_environment()
        entries = write_input_files(home.inbox, seed=seed, start=start, days=days, events=events, log=print_line)
        add_to_settings(home, **entries)
