"""Run a command in a fork of a process that has imported the libraries, because the imports take seconds.

In: a command line, environment and folder. Out: the process, or the finished one as `subprocess.run` returns it.
"""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

# Modules that read the home folder when they are imported, such as orchestration.definitions, must not be here.
LIBRARIES = (
    "alembic.command",
    "cli.app",
    "connectors.ads",
    "connectors.auth.oauth",
    "dagster",
    "dagster._core.storage.event_log.sqlite",
    "dagster._core.storage.runs.sqlite",
    "dagster._core.storage.schedules.sqlite",
    "dagster_dbt",
    "dbt.adapters.duckdb",
    "dbt.cli.main",
    "dbt.task.build",
    "dbt_common.clients.agate_helper",
    "duckdb",
    "ingestion.files.load",
    "matplotlib.figure",
    "orchestration.instance",
    "orchestration.lineage",
    "orchestration.project",
    "orchestration.pulling.schedules",
    "orchestration.run",
    "polars",
    "serving.publishing.publish",
    "sqlglot",
    "upath",
)
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(list(LIBRARIES))


def run(
    command: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run `tributary` or `dbt`. Raises subprocess.TimeoutExpired."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        files = [f"/proc/{os.getpid()}/fd/{file.fileno()}" for file in (output, errors)]
        process = start(command, arguments, environment, folder, files)
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired([command, *arguments], seconds)
        texts = [(file.seek(0), file.read())[1] for file in (output, errors)]
        return subprocess.CompletedProcess([command, *arguments], process.exitcode, *texts)


def start(
    command: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, files: Sequence[str]
) -> BaseProcess:
    """Start `tributary` or `dbt`, which appends its output to the first file and its errors to the second."""
    process = FORKS.Process(target=_main, args=(command, [*arguments], dict(environment), str(folder), [*files]))
    process.start()
    return process


def _main(command: str, arguments: list[str], environment: dict[str, str], folder: str, files: list[str]) -> None:
    """Be the command: its program, environment, folder and output."""
    gc.freeze()  # a collection need not go through the libraries
    gc.set_threshold(50_000)
    for number, path in zip((1, 2), files, strict=True):
        opened = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [str(Path(sys.executable).with_name(command)), *arguments]
    if command == "dbt":
        from dbt.cli.main import cli as program

        from orchestration.dbt_events import leave_out_debug_events

        leave_out_debug_events()
    else:
        from cli.__main__ import main as program
    try:
        program()
    finally:
        atexit._run_exitfuncs()  # which multiprocessing leaves out
