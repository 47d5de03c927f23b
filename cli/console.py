"""Output and errors of commands.

In: messages, tables, exceptions. Out: lines on standard output; on an error, a sentence on standard error and an exit
code. With --debug an error shows its stack trace.
"""

from __future__ import annotations

import logging
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


console = SafeConsole(highlight=False)
error_console = SafeConsole(stderr=True, highlight=False)
options = {"debug": False}
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
    from ingestion.migrations.upgrade import SchemaVersionError
    from ingestion.settings.model import SettingsError
    from serving.publish import PublishError
    from serving.published import NotFound, NothingPublished

    try:
        yield
    except (
        ContractError,
        SettingsError,
        SchemaVersionError,
        NotFound,
        NothingPublished,
        NotConnected,
        NoSecretStore,
        duckdb.Error,
        OSError,
    ) as error:
        fail(error, WRONG_INPUT)
    except (PublishError, VendorError) as error:
        fail(error, FAILED)


def fail(error: object, code: int) -> NoReturn:
    """Print an error and exit; with --debug, raise it."""
    if options["debug"] and isinstance(error, BaseException):
        raise error
    error_console.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True)
    raise typer.Exit(code)


def print_line(message: str) -> None:
    """Print a message as it is, without markup and line breaks."""
    console.print(escape(message), soft_wrap=True)


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
