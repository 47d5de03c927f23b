"""Run a command in a fork of a process that has imported the libraries, because the imports take seconds.

In: a command line, environment and folder. Out: the finished process, as `subprocess.run` returns it.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

# Modules that read the home folder when they are imported, such as orchestration.definitions, must not be here.
LIBRARIES = (
    "cli.app",
    "dagster",
    "dagster_dbt",
    "dbt.adapters.duckdb",
    "dbt.cli.main",
    "dbt.task.build",
    "duckdb",
    "ingestion.files.load",
    "matplotlib.figure",
    "orchestration.lineage",
    "orchestration.project",
    "orchestration.run",
    "polars",
    "serving.publish",
    "sqlglot",
)
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(list(LIBRARIES))


def run(
    command: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run `tributary` or `dbt`. Raises subprocess.TimeoutExpired."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        files = [f"/proc/{os.getpid()}/fd/{file.fileno()}" for file in (output, errors)]
        process = FORKS.Process(target=_main, args=(command, list(arguments), dict(environment), str(folder), files))
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired([command, *arguments], seconds)
        texts = [(file.seek(0), file.read())[1] for file in (output, errors)]
        return subprocess.CompletedProcess([command, *arguments], process.exitcode, *texts)


def _main(command: str, arguments: list[str], environment: dict[str, str], folder: str, files: list[str]) -> None:
    """Be the command: its program, environment, folder and output."""
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
    else:
        from cli.app import main as program
    try:
        program()
    finally:
        atexit._run_exitfuncs()  # which multiprocessing leaves out
