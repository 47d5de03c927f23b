"""The `tributary` command. Each command imports heavy modules by itself, so that the others start at once.

Exit codes: 0 success; 1 a run or a check failed; 2 wrong input or settings; 3 --strict, and a row failed; 130 and 143
Ctrl-C and SIGTERM.
"""

from __future__ import annotations

import locale
import os
import platform
import sys
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
from cli.stop import end_at_signals
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


def main() -> None:
    """Run the command line."""
    use_utf8()
    end_at_signals()
    app()


def use_utf8() -> None:
    """Start this program again if Python would read files in another encoding than UTF-8, by the user's locale.

    Otherwise a locale such as en_US.ISO-8859-1 would read rules and templates wrongly, and nothing would report it.
    """
    if not sys.flags.utf8_mode and locale.getencoding().lower() != "utf-8":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


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
