"""Lock a file that only its owner can open, and name the process that holds the lock.

In: the path of the lock file. Out: a lock that the operating system frees with its process.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TextIO

from ingestion.home import PRIVATE

_KERNEL_LOCKS = Path("/proc/locks")  # Linux


class Holder(NamedTuple):
    """The process that holds a lock. since: UTC, as text; empty if the process is not Tributary."""

    what: str
    pid: int | None
    since: str = ""

    def __str__(self) -> str:
        process = f"process {self.pid}" if self.pid else "an unknown process"
        return f"{self.what} ({process}{self.since and f', since {self.since}'})"


@contextmanager
def file_lock(lock: Path, what: str, progress: Callable[[str], None] = lambda message: None) -> Iterator[None]:
    """Hold an exclusive lock on the file. Wait for it, and report which process has it.

    what: the name of this holder in the messages of processes that wait. The operating system frees a flock when its
    process dies, so a killed process never blocks another one.
    """
    reported = None
    while True:
        file = _open(lock)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if (holder := _holder(file)) != reported:
                reported = holder
                progress(f"waiting for {holder}")
            file.close()
            time.sleep(0.2)
            continue
        if _is_at(lock, file):
            break
        file.close()  # another process has replaced the file
    with file:
        file.truncate()
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        file.write(json.dumps({"what": what, "pid": os.getpid(), "since": since}))
        file.flush()
        yield


def holder_of(lock: Path) -> Holder | None:
    """Return the process that holds the lock, or None."""
    if not lock.exists():
        return None
    with _open(lock) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _holder(file)
    return None


def _open(lock: Path) -> TextIO:
    """Open the lock file, or a new one in the place of a file that other users can open: they may hold its lock."""
    while True:
        file = os.fdopen(os.open(lock, os.O_RDWR | os.O_CREAT, 0o600), "r+")
        if not os.fstat(file.fileno()).st_mode & PRIVATE:
            return file
        file.close()
        lock.unlink(missing_ok=True)


def _is_at(lock: Path, file: TextIO) -> bool:
    try:
        return os.path.samestat(lock.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _holder(file: TextIO) -> Holder:
    """Return the process that holds the lock of an open file, by the kernel's list and by the file's content."""
    pid = _kernel_holder(file)
    try:
        file.seek(0)
        recorded = Holder(**json.loads(file.read()))
    except (ValueError, TypeError):
        return Holder(_program(pid), pid)
    return recorded if pid in (None, recorded.pid) else Holder(_program(pid), pid)


def _kernel_holder(file: TextIO) -> int | None:
    """Return the process that holds the flock, or None if the kernel does not list it."""
    state = os.fstat(file.fileno())
    place = f"{os.major(state.st_dev):02x}:{os.minor(state.st_dev):02x}:{state.st_ino}"
    try:
        held = re.search(rf"FLOCK +ADVISORY +\w+ +(\d+) {place} ", _KERNEL_LOCKS.read_text())
    except OSError:
        return None
    return int(held[1]) if held and int(held[1]) else None


def _program(pid: int | None) -> str:
    """Return the name of a process that is not Tributary."""
    try:
        return f"the program {Path(f'/proc/{pid}/comm').read_text().strip()}"
    except OSError:
        return "another program"
