"""`tributary ui`: Dagster's UI alone. In: options. Out: a server, until a signal stops it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import print_line, print_to_terminal, readable_errors
from cli.stop import release_signals
from ingestion.home import Home

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Name = Annotated[
    list[str] | None,
    typer.Option(help="Host name under which people open Dagster's UI, such as a proxy's. Repeatable."),
]


def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
    host: Host = "127.0.0.1",
    name: Name = None,
    workspace: Annotated[
        Path | None, typer.Option(help="Dagster's workspace file. Default: Tributary's own code.")
    ] = None,
) -> None:
    """Start Dagster's UI without its schedules and sensors. `tributary dev` starts everything.

    Dagster has no log-in: a person who reaches the port can start and delete runs. Put a proxy with a log-in in front
    of any address but 127.0.0.1.

    [bold]Examples[/bold]

      tributary ui

      tributary ui --port 3001 --name dagster.example.com
    """
    with readable_errors():
        from ingestion.listening import listen
        from ingestion.settings.load import load_settings
        from orchestration.instance import WORKSPACE
        from orchestration.webserver import serve

        home = Home.from_environment()
        load_settings(home)
        warn_of_public_ui(host)
        listen(host, port).close()  # before Dagster takes seconds to start
        release_signals()
        serve(home, host, port, name or [], workspace or WORKSPACE)
        print_to_terminal("Stopped.")


def warn_of_public_ui(host: str) -> None:
    """Print a warning if other machines reach Dagster's UI."""
    from serving.access.same_origin import is_loopback

    if not is_loopback(host):
        print_line(
            f"WARNING: Dagster has no log-in. Everybody who reaches {host} can read the run history and start and "
            "delete runs. Use 127.0.0.1, or a firewall and a proxy with a log-in."
        )
