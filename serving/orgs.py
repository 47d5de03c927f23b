"""Read-only connections to the published file of each org, renewed when a new version is published.

In: the folder published/. Out: a Version, pinned for one answer: all of its statements read the same version.

DuckDB keeps one database for each path and process, so a second `connect` would return the replaced file. Each version
is attached to a database of its own in memory instead.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from serving.parameters import OrgFacts
from serving.published import DamagedVersion, NothingPublished, literal

MEMORY_LIMIT = "2GB"  # of one org's queries
_ORG = "org"  # the name under which the file is attached
log = logging.getLogger("tributary.serving")


class UnknownOrg(Exception):
    """There is no published file of the org."""


@dataclass
class Version:
    """One open published version of an org. readers: the answers that use it now."""

    org: str
    number: int
    published_at: datetime  # UTC
    facts: OrgFacts
    connection: duckdb.DuckDBPyConnection
    identity: tuple[int, int, int]
    readers: int = 0
    is_replaced: bool = False

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection for one statement after the other, on this version."""
        cursor = self.connection.cursor()
        cursor.execute(f"use {_ORG}")
        return cursor

    def damage(self, error: Exception) -> DamagedVersion:
        """Return the exception for a part of the file that a query cannot read, and log the part."""
        log.error("The published file of %s is damaged: %s", self.org, error)
        return damaged(self.org)


@dataclass
class OrgFiles:
    """The published files of a home."""

    published: Path
    versions: dict[str, Version] = field(default_factory=dict)
    damaged: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # the identity of the damaged file of an org
    lock: threading.Lock = field(default_factory=threading.Lock)
    opening: dict[str, threading.Lock] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Return the orgs with a published file."""
        return sorted(path.stem for path in (self.published / "orgs").glob("*.duckdb"))

    @contextmanager
    def pinned(self, org: str) -> Iterator[Version]:
        """Yield the current version of an org. It stays open until the end, even if another one is published.

        Raises UnknownOrg, or DamagedVersion without a path of the server: the log has it.
        """
        self._refresh(org)
        with self.lock:
            version = self.versions.get(org)
            if version is None:
                raise UnknownOrg(org)
            version.readers += 1
        try:
            yield version
        finally:
            with self.lock:
                version.readers -= 1
                self._close_if_unused(version)

    def problems(self, orgs: Iterable[str], most: int | None = None) -> dict[str, str]:
        """Return the problem of each org whose published file cannot be read.

        most: the number of new files to open, which takes 0.1 s each. Later calls check the others.
        """
        found = {}
        for org in orgs:
            if org not in self.versions and org not in self.damaged and most is not None:
                if most == 0:
                    continue
                most -= 1
            try:
                with self.pinned(org):
                    pass
            except DamagedVersion as error:
                found[org] = str(error)
            except (UnknownOrg, NothingPublished):
                continue  # a publication removed or replaces it
        return found

    def close(self) -> None:
        """Close all files."""
        with self.lock:
            for version in self.versions.values():
                version.connection.close()
            self.versions.clear()

    def _refresh(self, org: str) -> None:
        """Open the file of an org if it was published anew.

        One thread opens it. The others go on with the version before: opening takes a tenth of a second or more.
        """
        path = self.published / "orgs" / f"{org}.duckdb"
        try:
            if path.name != f"{org}.duckdb":  # a path that leads elsewhere
                raise FileNotFoundError(path)
            with self.lock:
                known = self.versions.get(org)
                if known and known.identity == identity(path):
                    return
                opening = self.opening.setdefault(org, threading.Lock())
            if not opening.acquire(blocking=known is None):
                return
            try:
                self._open(org, path)
            finally:
                opening.release()
        except FileNotFoundError:
            self.damaged.pop(org, None)
            self._replace(org, None)

    def _open(self, org: str, path: Path) -> None:
        """Open the file of an org, unless another thread has opened it or found it damaged. Raises DamagedVersion."""
        found = identity(path)
        if org in self.versions and self.versions[org].identity == found:
            return
        if self.damaged.get(org) == found:
            raise damaged(org)
        try:
            self._replace(org, open_version(org, path))
        except DamagedVersion as error:
            self.damaged[org] = found
            log.error("%s", error)
            raise damaged(org) from None
        self.damaged.pop(org, None)

    def _replace(self, org: str, fresh: Version | None) -> None:
        """Make a version the current one; None for a removed org."""
        with self.lock:
            known = self.versions.pop(org, None)
            if fresh:
                self.versions[org] = fresh
            if known:
                known.is_replaced = True
                self._close_if_unused(known)

    def _close_if_unused(self, version: Version) -> None:
        if version.is_replaced and version.readers == 0:
            version.connection.close()


def damaged(org: str) -> DamagedVersion:
    """Return the exception for the damaged file of an org."""
    return DamagedVersion(f"The published file of {org} is damaged. Replace it: tributary run")


def identity(path: Path) -> tuple[int, int, int]:
    """Return what differs between two published files of one name."""
    state = os.stat(path)
    return state.st_ino, state.st_mtime_ns, state.st_size


def open_version(org: str, path: Path) -> Version:
    """Return a published file, open. Its queries read no other file and change no setting.

    Raises DamagedVersion, or NothingPublished for a file that changes all the time.
    """
    for _ in range(3):
        before = identity(path)
        connection = duckdb.connect(":memory:", config={"memory_limit": MEMORY_LIMIT})
        try:
            connection.execute(f"attach {literal(path)} as {_ORG} (read_only)")
            connection.execute(f"use {_ORG}")
            connection.execute("set TimeZone = 'UTC'")
            connection.execute("set enable_external_access = false")
            connection.execute("set lock_configuration = true")
            number, published_at = connection.execute("select version, published_at from meta").fetchall()[0]
            facts = read_facts(connection, org)
        except (duckdb.Error, IndexError) as error:
            connection.close()
            if identity(path) == before:
                raise DamagedVersion(f"{path} is damaged: {error}") from None
            continue
        # A publication may have replaced the file before it was opened. The next request then opens it once more.
        return Version(org, number, published_at, facts, connection, before)
    raise NothingPublished(f"The file of org {org} changes all the time. Try again.")


def read_facts(connection: duckdb.DuckDBPyConnection, org: str) -> OrgFacts:
    """Return the facts of the org's published version."""

    def column(sql: str) -> tuple[Any, ...]:
        return tuple(value for (value,) in connection.execute(sql).fetchall())

    currency, timezone, lookback_days, model = connection.execute(
        "select currency, timezone, lookback_days, default_attribution_model from orgs where org_id = $org",
        {"org": org},
    ).fetchall()[0]
    first_day, last_day = connection.execute("select min(date), max(date) from blended_daily").fetchall()[0]
    if last_day is None:
        with suppress(IndexError):
            (last_day,) = column("select published_at::date from meta")
        first_day = last_day - timedelta(days=29)
    models = column(
        "select column_name.replace('_credit', '') from duckdb_columns() where table_name = 'conversion_touches'"
        " and database_name = 'org' and column_name like '%\\_credit' escape '\\' order by column_index"
    )
    windows = column(
        "select distinct lookback_days from conversion_windows union select lookback_days from orgs order by 1"
    )
    types = column(
        "select conversion_type from conversion_windows group by 1 order by max(is_main_type) desc, conversion_type"
    )
    platforms = column(
        "select platform from rollup_spend where grain = 'PLATFORM' group by all order by sum(spend_micros) desc, 1"
    )
    return OrgFacts(
        org,
        currency,
        timezone,
        lookback_days,
        model,
        models or (model,),
        windows,
        types or ("purchase",),
        platforms,
        first_day,
        last_day,
    )
