"""End process groups whose parent was killed. A program of its own: the parent's end does not end it.

In: pids of process groups, a line each, from a pipe that only the parent can write to. Out: at the pipe's end SIGTERM
to each group, and SIGKILL to those that do not end in time.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress


def main(seconds: float) -> None:
    """Wait for the end of the pipe at standard input. The groups then have so many seconds to end."""
    groups = {int(line) for line in sys.stdin}
    deadline = time.monotonic() + seconds
    groups = {group for group in groups if exists(group, signal.SIGTERM)}
    while groups and time.monotonic() < deadline:
        time.sleep(0.1)
        groups = {group for group in groups if exists(group)}
    for group in groups:
        exists(group, signal.SIGKILL)


def exists(group: int, number: int = 0) -> bool:
    """Return whether a process group exists, and send a signal to it."""
    with suppress(ProcessLookupError, PermissionError):  # macOS refuses a signal to a group of ended processes
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    main(float(sys.argv[1]))
