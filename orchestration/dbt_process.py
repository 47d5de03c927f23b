"""`dbt` for Dagster to start: the same command, but it dies with the process that started it.

A run killed with SIGKILL frees the build lock; a dbt that outlived it would still hold DuckDB's, and the next run
would meet it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from importlib.metadata import version

PR_SET_PDEATHSIG = 1


def main() -> None:
    if sys.argv[1:] == ["--version"]:
        # Asked before every invocation. dbt's own answer takes seconds and looks for newer versions on the network.
        print(f"dbt {version('dbt-core')}")
        return
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=watch, args=(parent,), daemon=True).start()
    from dbt.cli.main import cli

    cli()


def watch(parent: int) -> None:
    """Where the kernel does not tell of a parent's death: look for it."""
    while os.getppid() == parent:
        time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGKILL)
