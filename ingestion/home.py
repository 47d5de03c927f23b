"""Paths of the home folder (TRIBUTARY_HOME, default ./var), which holds everything that an installation stores.

In: the environment. Out: Home. Only the owner can open its files; `published.readers` in tributary.yaml can share the
published ones (serving/publishing/readers.py).

inbox/         files that the next run imports       published/  marts for readers
landing/       segments of acknowledged events       dagster/    run history
archive/       imported files and loaded segments    salts.json  for the hashes of IP addresses, until they expire
serving.sqlite API keys, audit rows, marks of waste
warehouse.duckdb  opened only by the process that holds the build lock (ingestion/warehouse.py)
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from ingestion.files.contracts import KINDS

PRIVATE = 0o077  # the rights of other users, which new files and folders do not get
# DuckDB reads them as patterns or as the end of the path, and Dagster decodes %20 in its path.
_UNUSABLE = re.compile(r"[#?*\[\]\\\x00-\x1f\x7f]|%[0-9A-Fa-f]{2}")


class HomeError(Exception):
    """TRIBUTARY_HOME names a folder that cannot be a home."""


@dataclass(frozen=True)
class Home:
    """One home folder."""

    root: Path

    @classmethod
    def from_environment(cls) -> Home:
        """Return the home that TRIBUTARY_HOME names, and create its folders. Raise HomeError for an unusable path.

        From now on, this process creates files that only their owner can open.
        """
        home = cls(Path(os.environ.get("TRIBUTARY_HOME") or "var").expanduser().resolve())
        if found := _UNUSABLE.search(str(home.root)):
            raise HomeError(
                f"TRIBUTARY_HOME={str(home.root)!r}: a path with {found[0]!r} cannot be used. Use another folder."
            )
        os.umask(PRIVATE)
        try:
            home.root.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, FileNotFoundError, NotADirectoryError, PermissionError) as error:
            raise HomeError(
                f"TRIBUTARY_HOME={str(home.root)!r} cannot be a folder: {error.strerror}. Use another folder."
            ) from None
        home._make_private()
        for folder in (home.inbox, home.landing, home.archive, home.published, home.dagster, home.temporary):
            folder.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            (home.inbox / kind).mkdir(exist_ok=True)
        return home

    def _make_private(self) -> None:
        """Take the rights of other users from a home that another umask, or an earlier version, created.

        Folders that all users share, such as /tmp, and folders of another user stay as they are. Lock files stay, too:
        ingestion/warehouse.py replaces those that others may have locked.
        """
        state = self.root.stat()
        if state.st_uid != os.geteuid() or state.st_mode & stat.S_ISVTX or not state.st_mode & 0o066:
            return
        for path in self.root.iterdir():
            own = path.lstat()
            if own.st_uid == state.st_uid and not stat.S_ISLNK(own.st_mode) and path != self.lock:
                path.chmod(stat.S_IMODE(own.st_mode) & ~PRIVATE)
        self.root.chmod(stat.S_IMODE(state.st_mode) & ~PRIVATE)

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
    def serving_state(self) -> Path:
        return self.root / "serving.sqlite"

    @property
    def lock(self) -> Path:
        return self.root / "build.lock"
