"""inbox/<kind>/ -> raw tables -> archive/inbox/<kind>/: files that were dropped into the home folder.

A file is moved only once its load is committed. A crash in between is harmless: importing it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

from ingestion.contracts import ContractError
from ingestion.home import Home
from ingestion.load import LoadReport, load_file
from ingestion.settings import Settings

_UNFINISHED = (".tmp", ".part")


def waiting(home: Home, kind: str) -> list[Path]:
    """The finished files in the inbox of a kind, by name."""
    folder = home.inbox / kind
    files = folder.iterdir() if folder.is_dir() else ()
    return sorted(
        path
        for path in files
        if path.is_file() and not path.name.startswith(".") and path.suffix.lower() not in _UNFINISHED
    )


def import_inbox(
    connection: duckdb.DuckDBPyConnection, home: Home, settings: Settings, kind: str, say: Callable[[str], None]
) -> list[LoadReport]:
    """Load each waiting file in a transaction of its own and archive it.

    A file that cannot be imported stays where it is and stops no other; one ContractError at the end names all of them.
    """
    reports, errors = [], []
    for path in waiting(home, kind):
        try:
            report = load_file(connection, kind, path, settings=settings)
        except ContractError as error:
            say(f"not imported: {error}")
            errors.append(str(error))
            continue
        _archive(path, home.archive / "inbox" / kind)
        say(
            f"{path.name}: {report.received:,} received, {report.loaded:,} loaded, {report.duplicate:,} duplicate,"
            f" {report.failed:,} failed"
        )
        reports.append(report)
    if errors:
        raise ContractError(
            "\n".join([f"{len(errors)} of the files in {home.inbox / kind} were not imported:", *errors])
        )
    return reports


def _archive(path: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    target, number = folder / path.name, 0
    while target.exists():
        number += 1
        target = folder / f"{path.stem}-{number}{path.suffix}"
    path.rename(target)
