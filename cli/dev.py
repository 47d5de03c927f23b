"""`tributary dev`: collector, dashboard and Dagster side by side, until one of them ends or a person stops them.

In: options. Out: the collector, the dashboard, Dagster's code server, daemon and UI, and their exit codes.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from cli.console import WRONG_INPUT, fail, print_line, readable_errors
from cli.processes import Commands, run_all
from cli.stop import release_signals
from cli.ui import Name, warn_of_public_ui
from ingestion.home import Home

LOOPBACK = "127.0.0.1"
# One code server for the daemon and the UI. The UI's button "Reload" makes it read tributary.yaml and the code again.
CODE_SERVER = ("code-server", "start", "-m", "orchestration.definitions", "--log-level", "warning")
WORKSPACE_FILE = "load_from: [{{grpc_server: {{socket: {socket}, location_name: orchestration.definitions}}}}]\n"


def dev(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of Dagster's UI.")] = 3000,
    host: Annotated[str, typer.Option(help="Address of the collector and of the UI.")] = "127.0.0.1",
    collector_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the collector.")] = 8700,
    dashboard_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the dashboard.")] = 8600,
    name: Name = None,
) -> None:
    """Start the collector, the dashboard, and Dagster's UI with its schedules and sensors. Ctrl-C stops them.

    Exit code 0 after Ctrl-C or SIGTERM; 1 if one of them ended by itself, which stops the rest; 2 if a port is taken.

    Dagster has no log-in: keep the UI on 127.0.0.1, or put a proxy with a log-in in front of it. The dashboard listens
    on 127.0.0.1 only: `tributary serve --host` opens it to others.

    [bold]Example[/bold]

      tributary dev --port 3001
    """
    with readable_errors():
        from ingestion.settings.load import load_settings
        from orchestration.instance import dagster_home

        home = Home.from_environment()
        load_settings(home)
        warn_of_public_ui(host)
        check_ports(
            ("the collector", host, collector_port, "--collector-port"),
            ("Dagster's UI", host, port, "--port"),
            ("the dashboard", LOOPBACK, dashboard_port, "--dashboard-port"),
        )
        print_line(f"Starting the collector on http://{host}:{collector_port} (demo page: /demo)")
        print_line(f"the dashboard on http://{LOOPBACK}:{dashboard_port}")
        print_line(f"and Dagster's UI on http://{host}:{port}, in a few seconds. Ctrl-C stops everything.")
        with TemporaryDirectory() as folder:
            workspace, socket = Path(folder) / "workspace.yaml", Path(folder) / "code"  # a socket's path must be short
            workspace.write_text(WORKSPACE_FILE.format(socket=socket))
            tributary = Path(sys.executable).with_name("tributary")
            names = [argument for given in name or [] for argument in ("--name", given)]
            address = ["--host", host, "--port", str(port)]
            servers: Commands = {
                "The collector": [tributary, "collect", "--host", host, "--port", str(collector_port)],
                "The dashboard": [tributary, "serve", "--host", LOOPBACK, "--port", str(dashboard_port)],
                "Dagster's code server": [tributary.with_name("dagster"), *CODE_SERVER, "--socket", socket],
            }
            clients: Commands = {
                "Dagster's daemon": [tributary.with_name("dagster-daemon"), "run", "-w", workspace],
                "Dagster's UI": [tributary, "ui", *address, *names, "--workspace", workspace],
            }
            environment = {**os.environ, **dagster_home(home)}
            # Dagster shows the stack trace of the line that a signal interrupts.
            quiet = ["Dagster's code server", *clients]
            release_signals()
            code = run_all(servers, socket, clients, folder=home.root, environment=environment, quiet=quiet)
            raise typer.Exit(code)


def check_ports(*servers: tuple[str, str, int, str]) -> None:
    """Exit with a sentence for each port that is taken: otherwise half of the processes would start.

    servers: name, host, port and the option of the port.
    """
    from ingestion.listening import CannotListen, listen

    problems, options = [], dict[int, str]()
    with ExitStack() as sockets:
        for name, host, port, option in servers:
            if port in options:
                problems.append(f"{name}: {options[port]} has port {port}, too. Use another port: {option} {port + 1}")
                continue
            options[port] = option
            try:
                sockets.enter_context(listen(host, port, port_option=option))
            except CannotListen as error:
                problems.append(f"{name}: {error}")
    if problems:
        fail("\n".join(problems), WRONG_INPUT)
