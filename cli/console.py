"""What a command says, and how it ends when something is wrong: a sentence and an exit code, the trace with --debug."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

FAILED, WRONG_INPUT, STRICT = 1, 2, 3
console = Console(highlight=False)
complaints = Console(stderr=True, highlight=False)
state = {"debug": False}


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Known errors as a sentence and an exit code; the trace only with --debug."""
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


def fail(error: object, code: int) -> None:
    if state["debug"] and isinstance(error, BaseException):
        raise error
    complaints.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True)
    raise typer.Exit(code)


def say(message: str) -> None:
    console.print(escape(message), soft_wrap=True)


def show(parts: Iterator[Any]) -> None:
    for part in parts:
        # A word that is longer than the line, such as a path or an id, stays whole: it is there to be copied.
        has_long_word = isinstance(part, str) and any(len(word) > console.width for word in part.split())
        console.print(part, soft_wrap=has_long_word)
