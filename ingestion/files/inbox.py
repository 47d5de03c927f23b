"""inbox/<kind>/ -> raw tables -> archive/inbox/<kind>/: files that were dropped into the home folder.

The archive holds a file's rows as they were read, as Parquet without personal data; the file itself goes, once its load
is committed and its rows are archived. A crash in between is harmless: importing it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

from ingestion.files.contracts import ContractError
from ingestion.files.load import load_file
from ingestion.home import Home
from ingestion.loads import LoadReport
from ingestion.person.reentry import anonymise_archived
from ingestion.segments.archive import place
from ingestion.settings.model import Settings
from ingestion.user_agents import enrich

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
        kept = home.temporary / f"{kind}.parquet"
        try:
            report = load_file(connection, kind, path, settings=settings, keep=kept)
        except ContractError as error:
            say(f"not imported: {error}")
            errors.append(str(error))
            continue
        archived = _free(home.archive / "inbox" / kind / f"{path.name.removesuffix('.parquet')}.parquet")
        place(kept, archived)
        anonymise_archived(connection, home, [archived])
        path.unlink()
        say(
            f"{path.name}: {report.received:,} received, {report.loaded:,} loaded, {report.duplicate:,} duplicate,"
            f" {report.failed:,} failed"
        )
        reports.append(report)
    if reports and kind == "events":
        enrich(connection, say)
    if errors:
        raise ContractError(
            "\n".join([f"{len(errors)} of the files in {home.inbox / kind} were not imported:", *errors])
        )
    return reports


def _free(path: Path) -> Path:
    """The path, numbered where another file of that name was archived."""
    numbered, number = path, 0
    while numbered.exists():
        number += 1
        numbered = path.with_stem(f"{path.stem}-{number}")
    return numbered
