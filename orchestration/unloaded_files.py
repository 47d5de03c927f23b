"""Files that a run could not load. They stop neither other files nor the publication, and wait for a correction.

In: the errors of a run's imports. Out: a record in the home's dagster/unloaded_files.json; the files still unchanged.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from ingestion.home import Home
from ingestion.loads import LoadReport, PartlyLoaded
from ingestion.text import counted


class UnloadedFile(msgspec.Struct, frozen=True):
    """A file that could not be loaded. state: its time and size.

    The record identifies it by a hash of its name, which may be personal data or no UTF-8.
    """

    folder: str
    state: str
    error: str


def load_all(
    home: Home, folder: Path, load: Callable[[], Sequence[LoadReport]], log: Callable[[str], None]
) -> list[LoadReport]:
    """Load the files of a folder and return the reports. Record and log the files that cannot be loaded."""
    try:
        reports, failures = list(load()), dict[Path, str]()
    except PartlyLoaded as error:
        reports, failures = error.reports, error.failures
        log(f"{counted(len(failures), 'file')} in {folder} could not be loaded and stay there")
    _record(home, folder, failures)
    return reports


def unloaded_files(home: Home) -> dict[Path, str]:
    """Return the error of each file that could not be loaded, and that has not changed since."""
    record = _read(home)
    found = {}
    for folder in {Path(each.folder) for each in record.values()}:
        for path in folder.iterdir() if folder.is_dir() else ():
            unloaded = record.get(_key(path))
            if unloaded and unloaded.state == _state(path):
                found[path] = unloaded.error
    return found


def _record(home: Home, folder: Path, failures: Mapping[Path, str]) -> None:
    before = _read(home)
    kept = {key: each for key, each in before.items() if each.folder != str(folder)}
    now = kept | {
        _key(path): UnloadedFile(str(folder), state, error)
        for path, error in failures.items()
        if (state := _state(path))
    }
    if now != before:
        written = _path(home).with_suffix(".new")
        written.write_bytes(msgspec.json.encode(now))
        os.replace(written, _path(home))


def _read(home: Home) -> dict[str, UnloadedFile]:
    try:
        return msgspec.json.decode(_path(home).read_bytes(), type=dict[str, UnloadedFile])
    except (OSError, msgspec.DecodeError):
        return {}


def _key(path: Path) -> str:
    return sha256(os.fsencode(path)).hexdigest()


def _state(path: Path) -> str | None:
    try:
        state = path.lstat()
    except OSError:
        return None
    return f"{state.st_mtime_ns} {state.st_size}"


def _path(home: Home) -> Path:
    return home.dagster / "unloaded_files.json"
