"""Import the files of inbox/ and inbox/<kind>/, and move their rows to archive/inbox/<kind>/.

In: files that were dropped into the home folder. Out: rows in raw.*, and Parquet of the rows as contract texts.

A file in inbox/<kind>/ has rows of that kind; the header of a file in inbox/ decides. The archive has no personal data.
A file is deleted once its load is committed and its rows are archived, if nobody wrote to it meanwhile. After a crash
in between, the next run imports it again, which changes nothing.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from ingestion.files.contracts import KINDS, ContractError
from ingestion.files.input_file import UnfinishedError, readable_name, readable_path, state_of
from ingestion.files.load import import_file
from ingestion.home import Home
from ingestion.loads import LoadReport, PartlyLoaded
from ingestion.person.reentry import anonymise_archived
from ingestion.segments.archive import place, set_load_time
from ingestion.settings.model import Settings
from ingestion.sql import Connection
from ingestion.text import counted, printable
from ingestion.user_agents import enrich

ANY_KIND = "any"  # the files in inbox/ itself
INBOXES = (ANY_KIND, *KINDS)
SETTLED = 3.0  # seconds without a write after which a file counts as complete
REASON = ".reason.txt"  # suffix of the file that says why a file was rejected
_UNFINISHED = (".tmp", ".part")


def inbox_folder(home: Home, kind: str) -> Path:
    """Return the folder for files of a kind, or of ANY_KIND."""
    return home.inbox if kind == ANY_KIND else home.inbox / kind


def rejected_folder(home: Home) -> Path:
    """Return the folder of the files that no layout fits, each with a file beside it that states the reason."""
    return home.inbox / "rejected"


def rejected_files(home: Home) -> dict[str, str]:
    """Return the name and the reason of each rejected file."""
    reasons = sorted(rejected_folder(home).glob(f"*{REASON}"))
    return {readable_name(path).removesuffix(REASON): path.read_text().strip() for path in reasons}


def waiting_files(home: Home, kind: str) -> list[Path]:
    """Return the entries in the inbox of a kind that are to be imported, by name. Some may still be written."""
    folder = inbox_folder(home, kind)
    entries = folder.iterdir() if folder.is_dir() else ()
    return sorted(
        path
        for path in entries
        if not path.name.startswith(".") and path.suffix.lower() not in _UNFINISHED and not _is_folder(path)
    )


def import_inbox(
    connection: Connection, home: Home, settings: Settings, kind: str, progress: Callable[[str], None]
) -> list[LoadReport]:
    """Load each waiting file in a separate transaction and archive it. kind: one of INBOXES.

    A file in inbox/ that cannot be imported moves to inbox/rejected/. In inbox/<kind>/ it stays and does not stop the
    others; one PartlyLoaded at the end lists all such files. A file that is still being written waits for the next run.
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
            if kind == ANY_KIND and isinstance(error, ContractError):
                reason = str(error).removeprefix(f"{readable_path(path)}: ")
                _reject(home, path, reason)
                progress(f"{name}: moved to inbox/rejected/: {reason}")
                continue
            problem = (
                str(error) if isinstance(error, ContractError) else f"{readable_path(path)}: {printable(str(error))}"
            )
            progress(f"not imported: {problem}")
            failures[path] = problem
            continue
        for report in loaded:
            progress(f"{name} ({report.kind}): {report.balance}")
            for note in report.notes():
                progress(f"{name}: {note}")
        reports += loaded
    if any(report.kind == "events" for report in reports):
        enrich(connection, progress)
    if failures:
        folder = inbox_folder(home, kind)
        raise PartlyLoaded(f"{counted(len(failures), 'file')} of {folder} not imported:", failures, reports)
    return reports


def _import(connection: Connection, home: Home, settings: Settings, kind: str, path: Path) -> list[LoadReport]:
    """Load and archive one file, and delete it unless somebody wrote to it again."""
    state = _wait_until_settled(path)

    def kept(kind: str) -> Path:
        return home.temporary / f"{kind}.parquet"

    reports = import_file(connection, path, settings, kind=None if kind == ANY_KIND else kind, keep=kept, is_inbox=True)
    for report in reports:
        name = f"{report.source.removesuffix('.parquet')}.parquet"
        archived = _unused_name(home.archive / "inbox" / report.kind / name)
        set_load_time(kept(report.kind), report.loaded_at)
        place(kept(report.kind), archived)
        anonymise_archived(connection, home, [archived])
    if state_of(path.lstat()) == state:
        path.unlink()
    return reports


def _reject(home: Home, path: Path, reason: str) -> None:
    """Move a file to inbox/rejected/, with the reason beside it."""
    rejected_folder(home).mkdir(exist_ok=True)
    target = _unused_name(rejected_folder(home) / path.name)
    target.with_name(f"{target.name}{REASON}").write_text(f"{reason}\n")
    path.rename(target)


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
    """Return the path, with a number if the folder has a file of that name already."""
    numbered, number = path, 0
    while numbered.exists():
        number += 1
        numbered = path.with_stem(f"{path.stem}-{number}")
    return numbered
