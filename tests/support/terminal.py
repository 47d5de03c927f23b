"""Run a command in a pseudo-terminal, as a shell does: its process group is the terminal's foreground.

In: a command line, variables of the environment. Out: the text on the screen, the exit code, the processes left behind.
"""

from __future__ import annotations

import os
import pty
import signal
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.support.waiting import wait_until


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, command: Sequence[object], environment: Mapping[str, object]) -> None:
        self.text = ""
        self.mark = f"MARK_OF_TEST={uuid.uuid4().hex}"  # in the environment of the command and of its children
        variables = {**os.environ, **{name: str(value) for name, value in environment.items()}, "NO_COLOR": "1"}
        name, _, value = self.mark.partition("=")
        words = [str(word) for word in command]
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execve(words[0], words, {**variables, name: value})
        os.set_blocking(self.terminal, False)

    def read(self) -> str:
        """Return everything that was printed so far."""
        with suppress(OSError):  # nothing new, or closed
            self.text += os.read(self.terminal, 1 << 16).decode()
        return self.text

    def wait_for(self, *lines: str) -> None:
        """Wait until the lines are printed."""

        def are_printed() -> bool:
            if all(line in self.read() for line in lines):
                return True
            assert self.is_running(), f"it ended without {lines}: {self.text}"
            return False

        wait_until(are_printed, f"{lines} are in {self.text!r}", pause=0.01)

    def is_running(self) -> bool:
        """Return whether the command runs, and leave its exit code to `exit_code`."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def press_ctrl_c(self) -> None:
        """Send SIGINT to the process group, as a terminal does."""
        os.write(self.terminal, b"\x03")

    def exit_code(self, seconds: float = 60) -> int:
        """Return the exit code, and check that no process is left."""
        found = []

        def has_ended() -> bool:
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            found.append(status)
            return pid == self.pid

        wait_until(has_ended, f"it ends: {self.text!r}", seconds=seconds)
        self.read()
        wait_until(lambda: not self.left(), "no process is left", seconds=30)
        return os.waitstatus_to_exitcode(found[-1])

    def left(self) -> dict[int, str]:
        """Return the command line of each process that is left, without zombies."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if self.mark in (folder / "environ").read_text(errors="replace"):
                    found[int(folder.name)] = (folder / "cmdline").read_text()
        return {pid: command for pid, command in found.items() if command}

    def kill(self) -> None:
        """Kill whatever is left, after a test that failed."""
        for pid in self.left():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
