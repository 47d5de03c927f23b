"""Fingerprints of what a build depends on and of what it made.

In: a Home, the installed code. Out: strings that differ when their content differs.

Taking them is cheap: this module imports neither Dagster nor dbt.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

import duckdb

from ingestion.home import Home

PACKAGES = Path(__file__).resolve().parents[1]
DBT_FOLDER = PACKAGES / "dbt_project"
MADE_BY_DBT = ("target", "logs")  # folders of a dbt command that a person started in the project
HEADERS = 3 * 4096  # bytes at the start of a DuckDB file, of which each checkpoint changes some

READS_DAY = re.compile(rb"current_date|keep_raw_days|\btoday\s*\(", re.I)
READS_TIME = re.compile(rb"current_(local)?time|localtime|\bnow\s*\(|run_started_at|modules\.datetime", re.I)


def dbt_project() -> str:
    """Return the fingerprint of the dbt project and of the installed packages."""
    return digest([*_texts(DBT_FOLDER, ".sql", ".yml", ".csv"), *_versions()])


def code() -> str:
    """Return the fingerprint of all code that can change a build: SQL, seeds, Python and the installed packages."""
    python = (
        text
        for name in ("attribution", "ingestion", "orchestration", "serving")
        for text in _texts(PACKAGES / name, ".py", ".sql")
    )
    return digest([*python, dbt_project().encode()])


def settings(home: Home) -> str:
    """Return the fingerprint of tributary.yaml and of the home's models, or an empty string without the file."""
    if not home.settings.exists():
        return ""
    models = sorted(path for path in (home.root / "models").glob("*") if path.is_file())
    return digest(
        [home.settings.read_bytes(), *(part for path in models for part in (path.name.encode(), path.read_bytes()))]
    )


def clock(home: Home, now: datetime | None = None) -> str:
    """Return what the settings and the models' SQL read of the clock: the moment, the day (UTC), or nothing."""
    now = now or datetime.now(UTC)
    sources = [*_texts(DBT_FOLDER, ".sql"), home.settings.read_bytes() if home.settings.exists() else b""]
    if any(READS_TIME.search(source) for source in sources):
        return now.isoformat()
    return now.date().isoformat() if any(READS_DAY.search(source) for source in sources) else ""


def warehouse(home: Home) -> str | None:
    """Return the fingerprint of the warehouse and of the events in the archive; None if a process left changes unsaved.

    Every checkpoint changes it, and nothing else does. No process has the warehouse open.
    """
    if not home.warehouse.exists() or home.warehouse.with_name(f"{home.warehouse.name}.wal").exists():
        return None
    with home.warehouse.open("rb") as file:
        header = file.read(HEADERS)
    return digest([header, *_states([home.warehouse, *(home.archive / "events").rglob("*.parquet")])])


def published(home: Home) -> str:
    """Return the fingerprint of the published files: names, sizes and times."""
    files = (home.marts, *(home.published / "orgs").glob("*"), *(home.published / "parquet").glob("*"))
    return digest(_states(files))


def digest(parts: Iterable[bytes]) -> str:
    """Return a digest of the parts in their order."""
    total = blake2b(digest_size=16)
    for part in parts:
        total.update(len(part).to_bytes(8, "little"))
        total.update(part)
    return total.hexdigest()


def _texts(folder: Path, *suffixes: str) -> Iterable[bytes]:
    """Yield the name and the content of each file with one of the suffixes, without those that dbt writes."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.suffix in suffixes and name.parts[0] not in MADE_BY_DBT:
            yield str(name).encode()
            yield path.read_bytes()


def _states(paths: Iterable[Path]) -> list[bytes]:
    """Return the name, size and time of each file, in the order of their names."""
    states = []
    for path in sorted(paths):
        state = path.stat() if path.exists() else None
        states.append(f"{path.name} {state and (state.st_size, state.st_mtime_ns)}".encode())
    return states


def _versions() -> list[bytes]:
    """Return the versions of Python and of the installed packages, as the names of their folders give them."""
    folders = Path(duckdb.__file__).parents[1].glob("*.dist-info")
    return [sys.version.encode(), *sorted(folder.name.encode() for folder in folders)]
