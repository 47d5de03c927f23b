"""Output and errors of commands.

In: messages, tables, exceptions. Out: lines on standard output; on an error, a sentence on standard error and an exit
code. With --debug an error shows its stack trace.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ingestion.text import printable

FAILED, WRONG_INPUT, STRICT = 1, 2, 3


class SafeConsole(Console):
    """A console on which text from visitors and files cannot control the terminal."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return the text with its markup, its control characters escaped."""
        return super().render_str(printable(text), **options)


console = SafeConsole(highlight=False, emoji=False)  # c:email:… is the key of a person, not a picture
error_console = SafeConsole(stderr=True, highlight=False, emoji=False)
options = {"debug": False}
DISK_FULL = (
    "No space left on the disk, or it cannot be written. The last published version stays in place. Free some space on"
    " the file system of the home folder, then run the command again."
)
_NO_SPACE_CODES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_SPACE = (*map(os.strerror, _NO_SPACE_CODES), "database or disk is full", "disk I/O error")  # SQLite's words, too
traces = logging.getLogger("tributary.traces")  # of defects that are reported by a sentence


def show_traces() -> None:
    """Print stack traces on standard error: --debug."""
    options["debug"] = True
    traces.setLevel(logging.DEBUG)
    traces.addHandler(logging.StreamHandler())


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn each known exception into a sentence and an exit code."""
    import duckdb

    from connectors.http.errors import NoSecretStore, NotConnected, VendorError
    from ingestion.files.contracts import ContractError
    from ingestion.home import HomeError
    from ingestion.listening import CannotListen
    from ingestion.migrations.upgrade import SchemaVersionError
    from ingestion.settings.model import SettingsError
    from ingestion.warehouse import WarehouseLost
    from serving.access.principals import AccessError
    from serving.access.state_file import StateError
    from serving.published import NotFound, NothingPublished, WrongQuery
    from serving.publishing.publish import PublishError

    wrong_input = (
        AccessError,
        CannotListen,
        ContractError,
        HomeError,
        SettingsError,
        SchemaVersionError,
        StateError,
        NotFound,
        NothingPublished,
        WrongQuery,
        NotConnected,
        NoSecretStore,
        duckdb.Error,
        OSError,
    )
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if is_disk_full(error):
            fail(DISK_FULL, FAILED)
        if isinstance(error, (PublishError, VendorError, WarehouseLost)) and not isinstance(error, wrong_input):
            fail(error, FAILED)
        if isinstance(error, OSError) and error.filename and error.strerror and not options["debug"]:
            fail(f"{error.filename}: {error.strerror}. Check the path and its rights.", WRONG_INPUT)
        if isinstance(error, wrong_input):
            fail(error, WRONG_INPUT)
        raise


def is_disk_full(error: BaseException | str | None) -> bool:
    """Return whether an error, one of its causes, or its message states that a file system has no space left."""
    if isinstance(error, str):
        return any(words in error for words in _NO_SPACE)
    while error is not None:
        if (isinstance(error, OSError) and error.errno in _NO_SPACE_CODES) or is_disk_full(str(error)):
            return True
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return False


def fail(error: object, code: int) -> NoReturn:
    """Print an error and exit; with --debug, raise it."""
    if options["debug"] and isinstance(error, BaseException):
        raise error
    print_error(error)
    raise typer.Exit(code)


def print_error(error: object) -> None:
    """Print an error on standard error."""
    error_console.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True)


def print_line(message: str) -> None:
    """Print a message as it is, without markup and line breaks."""
    console.print(escape(message), soft_wrap=True)


def print_to_terminal(message: str) -> None:
    """Print a message below the ^C of a terminal. A log of a service needs no line for each stop."""
    if sys.stdout.isatty():
        print_line(f"\n{message}")


def print_parts(parts: Iterable[Any]) -> None:
    """Print tables and paragraphs with markup."""
    for part in parts:
        # A word that is longer than the line, such as a path or an id, must not be broken: people copy it.
        has_long_word = isinstance(part, str) and any(len(word) > console.width for word in part.split())
        console.print(part, soft_wrap=has_long_word)


def plain_table(*headings: str) -> Table:
    """Return a table without lines; numbers of rows are aligned right, and only examples wrap."""
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading == "rows" else "left", no_wrap=heading != "for example")
    return table
