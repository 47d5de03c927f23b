"""Open an input file once, so that neither its name nor its content can change unnoticed while it is read.

In: a path. Out: an InputFile; ContractError for a device, a pipe or a folder, and for a symbolic link in the inbox.

DuckDB and Python read the file by its descriptor. So a name that is not UTF-8, or a link that replaces the file after
the check, makes no difference.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO, NamedTuple, cast

from ingestion.files.contracts import ContractError
from ingestion.privacy.redact import redact_text
from ingestion.text import printable

_LONGEST_NAME = 200  # bytes; the archive adds a number and a suffix to it


class UnfinishedError(ContractError):
    """The file is still being written. Nothing was loaded."""


class InputFile(NamedTuple):
    """An open regular file."""

    path: Path
    descriptor: int
    state: tuple[int, int, int]  # as state_of returns it, when the file was opened
    spooled: IO[bytes] | None = None  # the unnamed file behind the descriptor: it closes with the last reference

    @property
    def name(self) -> str:
        """The file's name without personal data and control characters, for tables and the archive."""
        return readable_name(self.path)

    @property
    def label(self) -> str:
        """The path for messages."""
        return readable_path(self.path)

    @property
    def size(self) -> int:
        return self.state[1]

    @property
    def duckdb_path(self) -> str:
        return f"/dev/fd/{self.descriptor}"

    def open(self) -> BinaryIO:
        """Return a reader at the file's start."""
        file = Path(self.duckdb_path).open("rb")  # noqa: SIM115 - the caller closes it
        file.seek(0)  # on macOS it shares the position of the descriptor
        return file

    def has_changed(self) -> bool:
        """Return whether somebody wrote to the file after it was opened."""
        return state_of(os.fstat(self.descriptor)) != self.state

    def has_writer(self) -> bool:
        """Return whether a process has the file open for writing. Only Linux knows, for local files."""
        if not hasattr(fcntl, "F_SETLEASE"):
            return False
        try:
            fcntl.fcntl(self.descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(self.descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except OSError as error:
            return error.errno == errno.EAGAIN
        return False


@contextmanager
def open_input(path: Path, *, allow_link: bool = True) -> Iterator[InputFile]:
    """Yield the file at the path. ContractError if there is none, or if it is not a regular file."""
    # O_NONBLOCK: opening a pipe waits for its writer.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if allow_link else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ELOOP and not allow_link:
            raise ContractError(
                f"{readable_path(path)}: a symbolic link. Put the file itself into the inbox."
            ) from None
        if error.errno == errno.ENOENT:
            folder = printable(str(path.parent.absolute()))
            raise ContractError(f"{readable_path(path)}: there is no such file in {folder}. Check the path.") from None
        raise ContractError(f"{readable_path(path)}: cannot be read: {error.strerror}. Check its rights.") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ContractError(
                f"{readable_path(path)}: a {_kind(status.st_mode)}, not a file. Save its content as a file first."
            )
        yield InputFile(path, descriptor, state_of(status))
    finally:
        os.close(descriptor)


def spooled(file: InputFile, pieces: Iterable[bytes], folder: Path | None) -> InputFile:
    """Return the file with other content, which an unnamed file in the folder holds. A crash leaves nothing behind."""
    content = TemporaryFile(dir=folder)  # noqa: SIM115 - it closes with the last reference
    content.writelines(pieces)
    content.flush()
    return file._replace(
        descriptor=content.fileno(), state=state_of(os.fstat(content.fileno())), spooled=cast(IO[bytes], content)
    )


def state_of(status: os.stat_result) -> tuple[int, int, int]:
    """Return the part of a file's status that every write to the file, or to its name, changes."""
    return status.st_ino, status.st_size, status.st_mtime_ns


def readable_name(path: Path) -> str:
    """Return a file's name without personal data and control characters."""
    name = printable(redact_text(os.fsencode(path.name).decode("utf-8", "backslashreplace")))
    return name.encode()[:_LONGEST_NAME].decode("utf-8", "ignore").replace("/", "_")


def readable_path(path: Path) -> str:
    """Return the path with a readable name."""
    return printable(str(path.parent / readable_name(path)))


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "folder"
    return "pipe" if stat.S_ISFIFO(mode) else "device"
