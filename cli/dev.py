"""The collector and Dagster's UI side by side, until one of them ends or somebody ends both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ingestion.home import Home
from orchestration.instance import dagster_home
from orchestration.project import WORKSPACE

PATIENCE = 15  # seconds; `dagster dev` does not end while a browser is connected


def develop(home: Home, *, host: str, port: int, collector_port: int, say: Callable[[str], None]) -> int:
    """Run both in the foreground. 0 when they were stopped, 1 when one of them ended by itself."""
    programs = Path(sys.executable).parent
    environment = {
        **os.environ,
        **dagster_home(home),
        "PYTHONWARNINGS": "ignore:Function `dev_command` is superseded",
    }
    commands = {
        "the collector": [programs / "tributary", "collect", "--host", host, "--port", str(collector_port)],
        "Dagster": [programs / "dagster", "dev", "-w", WORKSPACE, "-h", host, "-p", str(port)],
    }
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: asked.append(number))
    running = {
        # Groups of their own: a Ctrl-C reaches them from here, once and in order.
        name: subprocess.Popen(command, cwd=home.root, env=environment, start_new_session=True)
        for name, command in commands.items()
    }
    say(f"Collector: http://{host}:{collector_port} (demo page: /demo)")
    say(f"Dagster's UI: http://{host}:{port} in a few seconds; Ctrl-C stops both.")
    while not asked and all(process.poll() is None for process in running.values()):
        time.sleep(0.2)
    codes = {name: process.poll() for name, process in running.items()}
    stop(list(running.values()))
    if asked:
        return 0
    say(" and ".join(f"{name} ended with exit code {code}" for name, code in codes.items() if code is not None))
    return 1


def stop(processes: list[subprocess.Popen]) -> None:
    """End the process groups: asked first, so that the collector closes its segment; killed if they do not listen."""
    for process in processes:
        signal_group(process, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, deadline - time.monotonic()))
        signal_group(process, signal.SIGKILL)
        process.wait()


def signal_group(process: subprocess.Popen, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
