"""The `tributary` command. A command imports what is heavy by itself, so that the others answer at once.

Exit codes: 0 all went well; 1 a run or a check failed; 2 wrong input or settings; 3 --strict met failed rows.
"""

from __future__ import annotations

import logging
import sys
from datetime import datetime
from typing import Annotated

import typer

from cli.collect import collect
from cli.connect import connect
from cli.connections import connections
from cli.console import FAILED, WRONG_INPUT, console, errors_for_people, fail, say, show, state
from cli.imports import importing
from cli.person import erase, export_person
from cli.pull import pull
from cli.replay import replaying
from cli.snippet import snippet
from ingestion.home import Home

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)
explain = typer.Typer(
    no_args_is_help=True,
    help="Why a number is what it is.\n\n[bold]Example[/bold]\n\n  tributary explain waste 3f9c2a10",
)
app.add_typer(importing, name="import")
app.add_typer(explain, name="explain")
app.add_typer(replaying, name="replay")
app.command("erase")(erase)
app.command("export-person")(export_person)
app.command()(collect)
app.command()(pull)
app.command()(snippet)
app.command()(connect)
app.command()(connections)


def main() -> None:
    app()


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the stack trace of an error.")] = False,
) -> None:
    """Tributary: marketing attribution you can audit to the micro.

    Everything lives in the home folder: TRIBUTARY_HOME, default ./var.

    [bold]Examples[/bold]

      tributary import events visits.csv.gz --site shop

      tributary run

      tributary query "select * from daily_rollups where grain = 'PLATFORM' limit 5"
    """
    state["debug"] = debug
    if debug:
        logging.basicConfig(format="%(message)s")  # on stderr
        logging.getLogger("tributary").setLevel(logging.DEBUG)


@app.command()
def run(
    select: Annotated[str | None, typer.Option(help="Assets, in Dagster's selection syntax.")] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Rebuild everything from the raw tables.")
    ] = False,
) -> None:
    """Build the whole graph, from files to published marts, and show what came out.

    [bold]Examples[/bold]

      tributary run

      tributary run --select 'group:raw'

      tributary run --select '+key:"marts/touchpoints"'
    """
    with errors_for_people():
        home = Home.from_environment()
        from ingestion.settings.load import load_settings
        from ingestion.warehouse import build_lock, connect

        load_settings(home)
        with build_lock(home, "run", say), connect(home):
            pass  # refuses a newer warehouse before Dagster starts
        from orchestration.run import SelectionError, run_graph

        started = datetime.now()
        try:
            problems = run_graph(home, select=select, full_refresh=full_refresh, say=say)
        except SelectionError as error:
            fail(error, WRONG_INPUT)
        if problems:
            kept = "The last published version stays in place." if home.marts.exists() else "Nothing was published."
            fail("\n".join([*problems, kept]), FAILED)
        say(f"done in {(datetime.now() - started).total_seconds():.0f} s\n")
        if not select:
            from cli.run_summary import closing

            show(closing(home))


@app.command()
def simulate(
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 7,
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First day.")] = datetime(2026, 7, 1),
    days: Annotated[int, typer.Option(min=7, help="Days to simulate.")] = 92,
    events: Annotated[int, typer.Option(min=100, help="Web events, at least.")] = 240_000,
) -> None:
    """Put a simulated quarter of two shops' marketing into the inbox; `tributary run` imports it.

    [bold]Example[/bold]

      tributary simulate --days 30 --events 20000 && tributary run
    """
    with errors_for_people():
        from ingestion.settings.load import add_to_settings
        from ingestion.simulator.input_files import simulate as write_input_files

        home = Home.from_environment()
        entries = write_input_files(home.inbox, seed=seed, start=start.date(), days=days, events=events, log=say)
        add_to_settings(home, **entries)


@explain.command("conversion")
def explain_conversion(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="A conversion_id, or how it begins.")],
    org: Annotated[str | None, typer.Option(help="Where several orgs share the id.")] = None,
) -> None:
    """Every touch of a conversion, kept or dropped and why, with its weight under each model.

    [bold]Example[/bold]

      tributary explain conversion northwind-shop:7f3a
    """
    with errors_for_people():
        from serving.explain import explain_conversion as explained
        from serving.published import open_published

        with open_published(Home.from_environment().marts) as connection:
            show(explained(connection, identifier, org))


@explain.command("waste")
def explain_waste(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="A waste_id, or how it begins.")],
    org: Annotated[str | None, typer.Option(help="Where several orgs share the id.")] = None,
) -> None:
    """What a waste flag says, on what evidence, and what to do.

    [bold]Example[/bold]

      tributary explain waste 3f9c2a10
    """
    with errors_for_people():
        from serving.explain import explain_waste as explained
        from serving.published import open_published

        with open_published(Home.from_environment().marts) as connection:
            show(explained(connection, identifier, org))


@app.command()
def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One statement; the file is read-only.")],
    csv: Annotated[bool, typer.Option("--csv", help="All rows as CSV instead of a table.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Rows of the table.")] = 50,
) -> None:
    """Ask the published marts in SQL. Money is in micros: divide by 1e6.

    [bold]Examples[/bold]

      tributary query "show tables"

      tributary query "from conversion_paths limit 10"
    """
    with errors_for_people():
        from serving.published import open_published
        from serving.query import as_csv, as_table

        with open_published(Home.from_environment().marts) as connection:
            result = connection.execute(sql)
            if csv:
                as_csv(result, sys.stdout)
            else:
                show(as_table(result, limit, console.width))


@app.command()
def status() -> None:
    """What is loaded, published, running and failed; what waits in the inbox.

    [bold]Example[/bold]

      tributary status
    """
    with errors_for_people():
        from cli.status import status as found

        show(found(Home.from_environment()))


@app.command()
def dev(
    port: Annotated[int, typer.Option(help="Port of Dagster's UI.")] = 3000,
    host: Annotated[str, typer.Option(help="Address of both.")] = "127.0.0.1",
    collector_port: Annotated[int, typer.Option(help="Port of the collector.")] = 8700,
) -> None:
    """The collector, and Dagster's UI with the whole graph, schedules and the inbox sensor running, until Ctrl-C.

    [bold]Example[/bold]

      tributary dev --port 3001
    """
    with errors_for_people():
        from cli.dev import develop
        from ingestion.settings.load import load_settings

        home = Home.from_environment()
        load_settings(home)
        raise typer.Exit(develop(home, host=host, port=port, collector_port=collector_port, say=say))
