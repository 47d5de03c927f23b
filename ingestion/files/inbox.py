"""Import the files of inbox/<kind>/ and move their rows to archive/inbox/<kind>/.

In: files that were dropped into the home folder. Out: rows in raw.*, and Parquet of the rows as they were read.

The archive has no personal data. A file is deleted once its load is committed and its rows are archived, if nobody
wrote to it meanwhile. After a crash in between, the next run imports it again, which changes nothing.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from ingestion.files.contracts import ContractError
from ingestion.files.input_file import UnfinishedError, readable_name, readable_path, state_of
from ingestion.files.load import import_file
from ingestion.home import Home
from ingestion.loads import LoadReport, PartlyLoaded
from ingestion.person.reentry import anonymise_archived
from ingestion.segments.archive import place, set_load_time
from ingestion.settings.model import Settings
from ingestion.sql import Connection
from ingestion.text import printable
from ingestion.user_agents import enrich

SETTLED = 3.0  # seconds without a write after which a file counts as complete
_UNFINISHED = (".tmp", ".part")


def waiting_files(home: Home, kind: str) -> list[Path]:
    """Return the entries in the inbox of a kind that are to be imported, by name. Some may still be written."""
    folder = home.inbox / kind
    entries = folder.iterdir() if folder.is_dir() else ()
    return sorted(
        path
        for path in entries
        if not path.name.startswith(".") and path.suffix.lower() not in _UNFINISHED and not _is_folder(path)
    )


def import_inbox(
    connection: Connection, home: Home, settings: Settings, kind: str, progress: Callable[[str], None]
) -> list[LoadReport]:
    """Load each waiting file in a separate transaction and archive it.

    A file that cannot be imported stays in the inbox and does not stop the others. One PartlyLoaded at the end lists
    all such files. A file that is still being written waits for the next run.
    """
    reports: list[LoadReport] = []
    failures: dict[Path, str] = {}
    for path in waiting_files(home, kind):
        name = readable_name(path)
        try:
            loaded = _import(connection, home, settings, kind, path)
        except UnfinishedError:
            progress(f"{name}: still being written. The next run imports it.")
            continue
        except (ContractError, duckdb.Error, OSError, RuntimeError) as error:
            problem = (
                str(error) if isinstance(error, ContractError) else f"{readable_path(path)}: {printable(str(error))}"
            )
            progress(f"not imported: {problem}")
            failures[path] = problem
            continue
        for report in loaded:
            progress(
                f"{name}: {report.received:,} {report.kind} received, {report.loaded:,} loaded,"
                f" {report.duplicate:,} duplicate, {report.failed:,} failed"
            )
            for warning in report.warnings:
                progress(f"warning: {name}: {warning}")
        reports += loaded
    if reports and kind == "events":
        enrich(connection, progress)
    if failures:
        raise PartlyLoaded(f"{len(failures)} of the files in {home.inbox / kind} were not imported:", failures, reports)
    return reports


def _import(connection: Connection, home: Home, settings: Settings, kind: str, path: Path) -> list[LoadReport]:
    """Load and archive one file, and delete it unless somebody wrote to it again."""
    state = _wait_until_settled(path)

    def kept(kind: str) -> Path:
        return home.temporary / f"{kind}.parquet"

    reports = import_file(connection, path, settings, kind=kind, keep=kept, is_inbox=True)
    for report in reports:
        name = f"{report.source.removesuffix('.parquet')}.parquet"
        archived = _unused_name(home.archive / "inbox" / report.kind / name)
        set_load_time(kept(report.kind), report.loaded_at)
        place(kept(report.kind), archived)
        anonymise_archived(connection, home, [archived])
    if state_of(path.lstat()) == state:
        path.unlink()
    return reports


def is_settled(status: os.stat_result) -> bool:
    """Return whether nobody has written to the file for some seconds. A time in the future proves nothing."""
    return not 0 <= time.time() - status.st_mtime < SETTLED


def _wait_until_settled(path: Path) -> tuple[int, int, int]:
    """Wait until nobody has written to the file for some seconds, and return its state.

    UnfinishedError if somebody writes to it meanwhile.
    """
    status = path.lstat()
    age = time.time() - status.st_mtime
    if age < SETTLED:
        time.sleep(min(SETTLED - age, SETTLED))  # at most: the time may be in the future
        if state_of(path.lstat()) != state_of(status):
            raise UnfinishedError(f"{readable_path(path)}: the file is still being written.")
    return state_of(status)


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:  # somebody has just taken it away
        return True


def _unused_name(path: Path) -> Path:
    """Return the path, with a number if the archive has a file of that name already."""
    numbered, number = path, 0
    while numbered.exists():
        number += 1
        numbered = path.with_stem(f"{path.stem}-{number}")
    return numbered
