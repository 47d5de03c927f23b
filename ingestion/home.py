"""Paths of the home folder (TRIBUTARY_HOME, default ./var), which holds everything that an installation stores.

In: the environment. Out: Home.

inbox/<kind>/  files that the next run imports       published/  marts for readers
landing/       segments of acknowledged events       dagster/    run history
archive/       imported files and loaded segments    salts.json  for the hashes of IP addresses, until they expire
warehouse.duckdb  opened only by the process that holds the build lock (ingestion/warehouse.py)
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """One home folder."""

    root: Path

    @classmethod
    def from_environment(cls) -> Home:
        """Return the home that TRIBUTARY_HOME names, and create its folders."""
        home = cls(Path(os.environ.get("TRIBUTARY_HOME") or "var").expanduser().resolve())
        for folder in (home.inbox, home.landing, home.archive, home.published, home.dagster, home.temporary):
            folder.mkdir(parents=True, exist_ok=True)
        return home

    @property
    def settings(self) -> Path:
        return self.root / "tributary.yaml"

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    @property
    def published(self) -> Path:
        return self.root / "published"

    @property
    def marts(self) -> Path:
        return self.published / "marts.duckdb"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def salts(self) -> Path:
        return self.root / "salts.json"

    @property
    def lock(self) -> Path:
        return self.root / "build.lock"
