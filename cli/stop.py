"""End a command at Ctrl-C or SIGTERM: at once, with one line and without a stack trace.

In: a signal, the sentence of the running command. Out: a line on standard error; exit code 130, or 143 after SIGTERM.

The process ends where it is, as SIGKILL would end it. Every file is renamed into place and every load is a transaction,
so nothing is half-written, the operating system frees the locks, and the next command deletes temporary files. Python,
dbt and Dagster would need seconds to unwind, and print the stack traces of their interrupted threads.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
INTERRUPTED = 128 + signal.SIGINT  # the exit code of shells


class _Watch:
    """What waits for the signals, and what it prints."""

    sentence = "Nothing is half-written. To continue, run the same command again."
    numbers: frozenset[int] = frozenset()
    thread: threading.Thread | None = None


def end_at_signals() -> None:
    """Let Ctrl-C and SIGTERM end this process from now on. Call it in the main thread, before others start.

    The main thread blocks both, so that no library can handle them, and so that a long query cannot delay them.
    """
    _Watch.numbers = frozenset(number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN)  # nohup
    if not _Watch.numbers:
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, _Watch.numbers)
    _Watch.thread = threading.Thread(target=_wait, args=(_terminal(),), daemon=True)
    _Watch.thread.start()


def when_stopped(sentence: str) -> None:
    """Set the sentence that states what a signal leaves behind from now on, and how to continue."""
    _Watch.sentence = sentence


def release_signals() -> None:
    """Give the signals back to their handlers. A server calls this, because it ends its work before it ends."""
    thread, _Watch.thread = _Watch.thread, None
    if thread is not None and thread.ident is not None:
        signal.pthread_kill(thread.ident, min(_Watch.numbers))
        thread.join()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _Watch.numbers)


def raise_at_signals() -> None:
    """Raise KeyboardInterrupt(number) at each signal from now on, for a command that has a little work left."""

    def interrupt(number: int, _: object) -> None:
        raise KeyboardInterrupt(number)

    for number in _Watch.numbers or SIGNALS:
        signal.signal(number, interrupt)
    release_signals()


@contextmanager
def signals_for_children() -> Iterator[None]:
    """Start programs that signals can end: a child inherits the blocked signals of its parent."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _Watch.numbers)
    try:
        yield
    finally:
        if _Watch.thread is not None:
            signal.pthread_sigmask(signal.SIG_BLOCK, _Watch.numbers)


def _wait(terminal: list[Any] | None) -> None:
    """Wait for a signal, print the line and end the process.

    terminal: its settings, which a prompt may have changed.
    """
    number = signal.sigwait(_Watch.numbers)
    if _Watch.thread is None:
        return
    with suppress(OSError, termios.error):
        # A process in the background may not change the terminal, which it has not changed either.
        if terminal is not None and terminal != termios.tcgetattr(sys.__stdin__):  # type: ignore[arg-type]
            termios.tcsetattr(sys.__stdin__, termios.TCSANOW, terminal)  # type: ignore[arg-type]
    start = "\n" if os.isatty(2) else ""  # the terminal has shown ^C
    with suppress(OSError):
        if select.select([], [2], [], 1)[1]:  # a pipe that nobody reads must not keep the process alive
            os.write(2, f"{start}Stopped. {_Watch.sentence}\n".encode())
    os._exit(128 + number)


def _terminal() -> list[Any] | None:
    """Return the settings of the terminal at standard input; None if it is another file."""
    try:
        return termios.tcgetattr(0)
    except termios.error:
        return None
