"""Import the files of inbox/<kind>/ and move their rows to archive/inbox/<kind>/.

In: files that were dropped into the home folder. Out: rows in raw.*, and Parquet of the rows as they were read.

The archive has no personal data. A file is deleted once its load is committed and its rows are archived. After a crash
in between, the next run imports it again, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ingestion.files.contracts import ContractError
from ingestion.files.load import load_file
from ingestion.home import Home
from ingestion.loads import LoadReport
from ingestion.person.reentry import anonymise_archived
from ingestion.segments.archive import place
from ingestion.settings.model import Settings
from ingestion.sql import Connection
from ingestion.user_agents import enrich

_UNFINISHED = (".tmp", ".part")


def waiting_files(home: Home, kind: str) -> list[Path]:
    """Return the finished files in the inbox of a kind, by name."""
    folder = home.inbox / kind
    files = folder.iterdir() if folder.is_dir() else ()
    return sorted(
        path
        for path in files
        if path.is_file() and not path.name.startswith(".") and path.suffix.lower() not in _UNFINISHED
    )


def import_inbox(
    connection: Connection, home: Home, settings: Settings, kind: str, progress: Callable[[str], None]
) -> list[LoadReport]:
    """Load each waiting file in a separate transaction and archive it.

    A file that cannot be imported stays in the inbox and does not stop the others. One ContractError at the end lists
    all such files.
    """
    reports, errors = [], []
    for path in waiting_files(home, kind):
        kept = home.temporary / f"{kind}.parquet"
        try:
            report = load_file(connection, kind, path, settings, keep=kept)
        except ContractError as error:
            progress(f"not imported: {error}")
            errors.append(str(error))
            continue
        archived = _unused_name(home.archive / "inbox" / kind / f"{path.name.removesuffix('.parquet')}.parquet")
        place(kept, archived)
        anonymise_archived(connection, home, [archived])
        path.unlink()
        progress(
            f"{path.name}: {report.received:,} received, {report.loaded:,} loaded, {report.duplicate:,} duplicate,"
            f" {report.failed:,} failed"
        )
        reports.append(report)
    if reports and kind == "events":
        enrich(connection, progress)
    if errors:
        raise ContractError(
            "\n".join([f"{len(errors)} of the files in {home.inbox / kind} were not imported:", *errors])
        )
    return reports


def _unused_name(path: Path) -> Path:
    """Return the path, with a number if the archive has a file of that name already."""
    numbered, number = path, 0
    while numbered.exists():
        number += 1
        numbered = path.with_stem(f"{path.stem}-{number}")
    return numbered
