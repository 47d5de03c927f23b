"""`tributary dev`: the collector and Dagster's UI side by side, until one of them ends or a person stops both.

In: options. Out: two processes, and their exit codes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from cli.console import print_line, readable_errors
from ingestion.home import Home

SECONDS_TO_STOP = 15  # `dagster dev` does not end while a browser is connected


def dev(
    port: Annotated[int, typer.Option(help="Port of Dagster's UI.")] = 3000,
    host: Annotated[str, typer.Option(help="Address of the collector and of the UI.")] = "127.0.0.1",
    collector_port: Annotated[int, typer.Option(help="Port of the collector.")] = 8700,
) -> None:
    """Start the collector and Dagster's UI with its schedules and sensors. Ctrl-C stops both.

    [bold]Example[/bold]

      tributary dev --port 3001
    """
    with readable_errors():
        from ingestion.settings.load import load_settings
        from orchestration.instance import WORKSPACE, dagster_home

        home = Home.from_environment()
        load_settings(home)
        programs = Path(sys.executable).parent
        commands: dict[str, list[str | Path]] = {
            "the collector": [programs / "tributary", "collect", "--host", host, "--port", str(collector_port)],
            "Dagster": [programs / "dagster", "dev", "-w", WORKSPACE, "-h", host, "-p", str(port)],
        }
        environment = {
            **os.environ,
            **dagster_home(home),
            "PYTHONWARNINGS": "ignore:Function `dev_command` is superseded",
        }
        print_line(f"Collector: http://{host}:{collector_port} (demo page: /demo)")
        print_line(f"Dagster's UI: http://{host}:{port} in a few seconds. Ctrl-C stops both.")
        raise typer.Exit(run_both(commands, home.root, environment))


def run_both(commands: dict[str, list[str | Path]], folder: Path, environment: dict[str, str]) -> int:
    """Run the commands in the foreground. Return 0 if a signal stopped them, 1 if one of them ended by itself."""
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: signals.append(number))
    running = {
        # Each has its own process group, so that a Ctrl-C reaches it once, from here, and in order.
        name: subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True)
        for name, command in commands.items()
    }
    while not signals and all(process.poll() is None for process in running.values()):
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
