"""Run servers side by side in the foreground, until a signal arrives or one of them ends.

In: commands by name. Out: their output, one line that says why they stopped, and an exit code.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cli import guard
from cli.console import FAILED, options, print_error, print_line

SECONDS_TO_STOP = 15
Commands = dict[str, list[str | Path]]


@dataclass
class Processes:
    """The running processes by name. quiet: those whose output, such as a stack trace, is dropped once they stop."""

    folder: Path
    environment: dict[str, str]
    quiet: Collection[str] = ()
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    relays: dict[str, threading.Thread] = field(default_factory=dict)
    are_stopping: bool = False
    guard: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        # Without the folder of the program in the path of modules: its files have names such as `query`.
        command = [sys.executable, "-I", guard.__file__, str(SECONDS_TO_STOP)]
        self.guard = subprocess.Popen(command, start_new_session=True, stdin=subprocess.PIPE)

    def start(self, commands: Commands) -> None:
        """Start the commands."""
        for name, command in commands.items():
            # Each has its own process group, so that a Ctrl-C reaches it once, from here, and in order.
            self.running[name] = process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            self._tell_guard(process.pid)
            self.relays[name] = threading.Thread(target=self._relay, args=(name, process), daemon=True)
            self.relays[name].start()

    def ended(self) -> dict[str, int]:
        """Return the exit code of each process that has ended."""
        codes = {name: process.poll() for name, process in self.running.items()}
        return {name: code for name, code in codes.items() if code is not None}

    def stop(self, signals: Collection[int]) -> list[str]:
        """Ask the process groups to end, so that the collector closes its segment. Kill those that do not end in time.

        signals: grows when a further signal arrives, which kills them at once. Return the names of the killed ones.
        """
        self.are_stopping, so_far, killed = True, len(signals), []
        for process in self.running.values():
            signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + SECONDS_TO_STOP
        for name, process in self.running.items():
            while process.poll() is None and time.monotonic() < deadline and len(signals) == so_far:
                time.sleep(0.05)
            if process.poll() is None:
                killed.append(name)
            signal_group(process, signal.SIGKILL)  # also what the process has left behind
            process.wait()
        self.guard.kill()
        self.guard.wait()
        for relay in self.relays.values():
            relay.join(1)
        return killed

    def _tell_guard(self, pid: int) -> None:
        """Let the guard end a process group after a SIGKILL of this process."""
        assert self.guard.stdin
        with suppress(BrokenPipeError):  # somebody has killed the guard
            self.guard.stdin.write(f"{pid}\n".encode())
            self.guard.stdin.flush()

    def _relay(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """Write each line of a process to the terminal. Read on without a terminal, so that the process can write."""
        assert process.stdout
        for line in process.stdout:
            if self.are_stopping and name in self.quiet and not options["debug"]:
                continue
            with suppress(OSError, ValueError):
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()


def run_all(
    servers: Commands,
    socket: Path,
    clients: Commands,
    *,
    folder: Path,
    environment: dict[str, str],
    quiet: Collection[str] = (),
) -> int:
    """Run the commands in the foreground; the clients start when the socket exists.

    Return 0 if a signal stopped them, 1 if one of them ended by itself or had to be killed.
    """
    signals = catch_signals()
    processes = Processes(folder, environment, quiet)
    ended, killed = {}, []
    try:
        processes.start(servers)
        while not signals and not (ended := processes.ended()):
            if len(processes.running) == len(servers) and socket.exists():
                processes.start(clients)
            time.sleep(0.2)
        if signals:
            say(print_line, "Stopping everything. This takes a few seconds; a second Ctrl-C kills it.")
        for name, code in ended.items():
            processes.relays[name].join(1)  # its last words come before the line about it
            say(print_error, f"{ending(name, code)} Stopping the rest.")
    finally:
        killed = processes.stop(signals)
    if killed:
        say(print_error, f"{', '.join(killed)}: killed, because it did not stop in time.")
    return FAILED if ended or killed else 0


def catch_signals() -> list[int]:
    """Return a list that grows with each Ctrl-C, SIGTERM and closed terminal from now on."""
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores it
            signal.signal(number, lambda number, frame: signals.append(number))
    return signals


def ending(name: str, code: int) -> str:
    """Return why a process ended, and what to do."""
    if code < 0:
        memory = " Does the machine have enough memory?" if -code == signal.SIGKILL else ""
        return f"{name} was ended by signal {signal.Signals(-code).name}.{memory}"
    return f"{name} ended with exit code {code}. Its last lines are above: correct their cause, then start again."


def say(write: Callable[[str], None], message: str) -> None:
    """Print a message, unless the terminal is closed: the processes must stop all the same."""
    with suppress(OSError):
        write(message)


def signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a process and its children."""
    with suppress(ProcessLookupError, PermissionError):  # macOS refuses a signal to a group of ended processes
        os.killpg(process.pid, number)
