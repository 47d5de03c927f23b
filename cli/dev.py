"""`tributary dev`: collector, dashboard and Dagster side by side, until one of them ends or a person stops them.

In: options. Out: the collector, the dashboard, Dagster's code server, daemon and UI, and their exit codes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from cli.console import print_line, readable_errors
from cli.ui import Name, warn_of_public_ui
from ingestion.home import Home

LOOPBACK = "127.0.0.1"
SECONDS_TO_STOP = 15
# One code server for the daemon and the UI. The UI's button "Reload" makes it read tributary.yaml and the code again.
CODE_SERVER = ("code-server", "start", "-m", "orchestration.definitions", "--log-level", "warning")
Commands = dict[str, list[str | Path]]
WORKSPACE_FILE = "load_from: [{{grpc_server: {{socket: {socket}, location_name: orchestration.definitions}}}}]\n"


def dev(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of Dagster's UI.")] = 3000,
    host: Annotated[str, typer.Option(help="Address of the collector and of the UI.")] = "127.0.0.1",
    collector_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the collector.")] = 8700,
    dashboard_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the dashboard.")] = 8600,
    name: Name = None,
) -> None:
    """Start the collector, the dashboard, and Dagster's UI with its schedules and sensors. Ctrl-C stops them.

    Dagster has no log-in: keep the UI on 127.0.0.1, or put a proxy with a log-in in front of it. The dashboard listens
    on 127.0.0.1 only: `tributary serve --host` opens it to others.

    [bold]Example[/bold]

      tributary dev --port 3001
    """
    with readable_errors():
        from ingestion.listening import listen
        from ingestion.settings.load import load_settings
        from orchestration.instance import dagster_home

        home = Home.from_environment()
        load_settings(home)
        warn_of_public_ui(host)
        with (
            listen(host, collector_port, port_option="--collector-port"),
            listen(host, port),
            listen(LOOPBACK, dashboard_port, port_option="--dashboard-port"),
        ):
            pass  # all are free: otherwise half of the processes would start
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
                "the collector": [tributary, "collect", "--host", host, "--port", str(collector_port)],
                "the dashboard": [tributary, "serve", "--host", LOOPBACK, "--port", str(dashboard_port)],
                "Dagster's code server": [tributary.with_name("dagster"), *CODE_SERVER, "--socket", socket],
            }
            clients: Commands = {
                "Dagster's daemon": [tributary.with_name("dagster-daemon"), "run", "-w", workspace],
                "Dagster's UI": [tributary, "ui", *address, *names, "--workspace", workspace],
            }
            environment = {**os.environ, **dagster_home(home)}
            raise typer.Exit(run_all(servers, socket, clients, home.root, environment))


def run_all(servers: Commands, socket: Path, clients: Commands, folder: Path, environment: dict[str, str]) -> int:
    """Run the commands in the foreground; the clients start when the socket exists.

    Return 0 if a signal stopped them, 1 if one of them ended by itself.
    """
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: signals.append(number))
    running: dict[str, subprocess.Popen[bytes]] = {}

    def start(commands: Commands) -> None:
        for name, command in commands.items():
            # Each has its own process group, so that a Ctrl-C reaches it once, from here, and in order.
            running[name] = subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True)

    start(servers)
    while not signals and all(process.poll() is None for process in running.values()):
        if len(running) == len(servers) and socket.exists():
            start(clients)
        time.sleep(0.2)
    codes = {name: process.poll() for name, process in running.items()}
    stop(list(running.values()))
    if signals:
        return 0
    ended = [f"{name} ended with exit code {code}" for name, code in codes.items() if code is not None]
    print_line(" and ".join(ended))
    return 1


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """Ask the process groups to end, so that the collector closes its segment. Kill those that do not end in time."""
    for process in processes:
        signal_group(process, signal.SIGTERM)
    deadline = time.monotonic() + SECONDS_TO_STOP
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, deadline - time.monotonic()))
        signal_group(process, signal.SIGKILL)
        process.wait()


def signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a process and its children."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
