"""The commands of `tributary`. Each one imports heavy modules by itself, so that the others start at once.

Exit codes: 0 success; 1 a run or a check failed; 2 wrong input or settings; 3 --strict, and a row failed; 130 and 143
Ctrl-C and SIGTERM.
"""

from __future__ import annotations

import platform
from typing import Annotated

import typer

from cli.ask import ask
from cli.audit import audit
from cli.check import check
from cli.collect import collect
from cli.connect import connect
from cli.connections import connections
from cli.console import print_line, show_traces
from cli.dev import dev
from cli.erase import erase
from cli.explain import explain
from cli.export_person import export_person
from cli.failed import failed
from cli.imports import import_
from cli.keys import keys
from cli.learn import learn
from cli.publish import publish
from cli.pull import pull
from cli.query import query
from cli.rebuild import rebuild
from cli.replay import replay
from cli.run import run
from cli.serve import serve
from cli.simulate import simulate
from cli.snippet import snippet
from cli.status import status
from cli.ui import ui
from cli.usage import CommandLine

app = typer.Typer(
    cls=CommandLine,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (
    simulate,
    connect,
    snippet,
    check,
    pull,
    collect,
    run,
    publish,
    dev,
    ui,
    status,
    query,
    ask,
    serve,
    failed,
    connections,
    rebuild,
    audit,
    export_person,
    erase,
):
    app.command()(command)
for name, group in (("import", import_), ("explain", explain), ("keys", keys), ("learn", learn), ("replay", replay)):
    app.add_typer(group, name=name)


def show_version(is_asked: bool) -> None:
    """Print the version of this program and of its main libraries, and exit."""
    if is_asked:
        from importlib.metadata import version

        libraries = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "dbt-core", "dagster"))
        print_line(f"tributary {version('tributary')} ({libraries}, Python {platform.python_version()})")
        raise typer.Exit


@app.callback()
def tributary(
    debug: Annotated[bool, typer.Option("--debug", help="Show the stack trace of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=show_version, is_eager=True)
    ] = False,
) -> None:
    """Tributary: marketing attribution that you can audit to the micro.

    The home folder holds all data. TRIBUTARY_HOME names it; the default is ./var.

    [bold]Examples[/bold]

      tributary simulate && tributary run

      tributary import ~/Downloads/* --dry-run

      tributary query "from platform_daily where org_id = 'northwind' order by date desc limit 5"
    """
    if debug:
        show_traces()
