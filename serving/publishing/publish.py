"""Publish the marts: copy them from the warehouse into files for readers, all of them or none.

In: a connection to the warehouse. Out: a new version of the folder published/:

    marts.duckdb       all orgs, readable by DuckDB 1.0 and later
    orgs/<org>.duckdb  one org each, without a row of another org
    parquet/*.parquet  the same tables for tools that read files

The new files are written beside the old ones and renamed over them. A reader sees the old version or the new one.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from serving.published import NothingPublished, counted, literal, open_published, scalar
from serving.publishing.readers import RIGHTS, let_through, share
from serving.publishing.version_files import VIEWS, link_or_copy, write_database, write_parquet

LONG_FORMS = ("channel_summary", "daily_rollups")
LONG_FORM_ROWS = 5_000_000  # rows up to which such a view is a Parquet file, too: about 75 MB in some seconds
LOADED = {"events": "all_events", "interactions": "interactions", "conversions": "conversions", "ad_spend": "ad_spend"}


class Version(NamedTuple):
    """A published version."""

    number: int
    published_at: datetime  # UTC
    rows: dict[str, int]  # by table


class PublishError(Exception):
    """A promise is broken. Nothing was published, and the last version stays."""


def publish(connection: duckdb.DuckDBPyConnection, folder: Path, readers: str = "owner") -> Version:
    """Write a new version of the published marts into `folder`, the folder published/ of a home.

    `connection` is open on the warehouse, under the build lock. readers: who may open the files (readers.py). Raises
    PublishError, without writing anything, if a promise is broken.
    """
    connection.execute("create or replace temp table promises as from marts.promises")
    if broken := broken_promises(connection):
        listed = "\n  ".join(broken[:20])
        raise PublishError(
            f"{counted(len(broken), 'check')} failed. Nothing was published, and the last version stays:\n  {listed}\n"
            "The marts lack everything that was loaded after they were built. Build all: tributary run. If the checks"
            " still fail, correct the model or the input."
        )
    orgs = [org for (org,) in connection.execute("select org_id from marts.orgs order by 1").fetchall()]
    if unsafe := [org for org in orgs if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", org)]:
        raise PublishError(f"The org id {unsafe[0]!r} cannot be the name of a file. Rename the org in tributary.yaml.")
    clear_leftovers(folder)
    version, now = last_version(folder) + 1, datetime.now(UTC).replace(tzinfo=None)
    staging = folder / f".new-{version}"
    (staging / "parquet").mkdir(parents=True)
    (staging / "orgs").mkdir()

    loaded = loaded_rows(connection)
    rows = write_database(
        connection,
        staging / "marts.duckdb",
        {table: f"marts.{table}" for table in mart_tables(connection)} | {"promises": "temp.promises"},
        version=version,
        published_at=now,
        loaded=total(loaded.values()),
    )
    # The other files are copies of the finished file, so that no view of the warehouse runs twice.
    connection.execute(f"attach {literal(staging / 'marts.duckdb')} as whole (read_only)")
    try:
        for org in orgs:
            path = staging / "orgs" / f"{org}.duckdb"
            if len(orgs) == 1 and not has_other_orgs(connection, org, rows):
                link_or_copy(staging / "marts.duckdb", path)
                continue
            sources = {table: f"whole.main.{table} where org_id = {literal(org)}" for table in rows}
            write_database(
                connection, path, sources, version=version, published_at=now, loaded=total([loaded.get(org, Counter())])
            )
        long_forms = [view for view in LONG_FORMS if has_at_most(connection, view, LONG_FORM_ROWS)]
        write_parquet(connection, "whole", [*rows, *long_forms], staging / "parquet", folder / "parquet")
    finally:
        connection.execute("detach whole")
    share(staging, readers)
    swap_in(staging, folder, version)
    folder.chmod(RIGHTS[readers])
    (folder / "orgs").chmod(RIGHTS[readers])
    let_through(folder.parent, readers)
    return Version(version, now, rows)


def broken_promises(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return a sentence for each check that failed."""
    rows = connection.execute("""
        select promise, what, org_id, attribution_model, accounting_mode, grain, expected, actual
        from temp.promises where not is_kept or is_kept is null
        order by all
    """).fetchall()
    return [
        f"{promise}: {what} ({', '.join(part for part in slice_ if part)}): expected {expected}, found {actual}"
        for promise, what, *slice_, expected, actual in rows
    ]


def has_at_most(connection: duckdb.DuckDBPyConnection, view: str, rows: int) -> bool:
    """Return whether a view of the finished file has at most this many rows, without reading many more."""
    limited = f"select count(*) from (select 1 from whole.main.{view} limit {rows + 1})"
    return int(scalar(connection, limited)) <= rows


def has_other_orgs(connection: duckdb.DuckDBPyConnection, org: str, tables: Iterable[str]) -> bool:
    """Return whether the finished file has a row of another org, such as a notice that tributary.yaml lacks it."""
    rows = (f"from whole.main.{table} where org_id <> {literal(org)} limit 1" for table in tables)
    return any(connection.execute(sql).fetchone() for sql in rows)


def loaded_rows(connection: duckdb.DuckDBPyConnection) -> dict[str, Counter[str]]:
    """Return the rows of the raw tables behind this version, by org and table."""
    found: dict[str, Counter[str]] = {}
    for name, table in LOADED.items():
        for org, rows in connection.execute(f"select org_id, count(*) from raw.{table} group by all").fetchall():
            found.setdefault(org, Counter())[name] = rows
    return found


def total(counts: Iterable[Counter[str]]) -> dict[str, int]:
    """Return the sum of the counts of each raw table."""
    summed = sum(counts, Counter[str]())
    return {name: summed[name] for name in LOADED}


def mart_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the marts that are published as tables, by name."""
    rows = connection.execute(
        "select table_name from information_schema.tables where table_schema = 'marts' order by table_name"
    ).fetchall()
    return [name for (name,) in rows if name not in VIEWS]


def swap_in(staging: Path, folder: Path, version: int) -> None:
    """Rename the files of a finished version over those of the last one, the main file at the end."""
    for file in staging.rglob("*"):
        if file.is_file():
            sync(file)
    (folder / "orgs").mkdir(exist_ok=True)
    fresh = {file.name for file in (staging / "orgs").iterdir()}
    for file in (staging / "orgs").iterdir():
        file.replace(folder / "orgs" / file.name)
    for file in (folder / "orgs").iterdir():
        if file.name not in fresh:
            file.unlink()

    (staging / "parquet").rename(folder / f".parquet-{version}")
    link = staging / "parquet"
    link.symlink_to(f".parquet-{version}")
    link.replace(folder / "parquet")

    (staging / "marts.duckdb").replace(folder / "marts.duckdb")
    sync(folder)
    shutil.rmtree(staging)


def clear_leftovers(folder: Path) -> None:
    """Remove the files of killed runs, and Parquet versions that no reader can still have open."""
    folder.mkdir(parents=True, exist_ok=True)
    current = os.readlink(folder / "parquet") if (folder / "parquet").is_symlink() else None
    for path in [*folder.glob(".new-*"), *folder.glob(".parquet-*")]:
        if path.name != current:
            shutil.rmtree(path)


def last_version(folder: Path) -> int:
    """Return the published version, or 0. A damaged file counts as absent; the link to Parquet names its version."""
    try:
        with open_published(folder / "marts.duckdb") as published:
            return int(scalar(published, "select version from meta"))
    except NothingPublished:
        link = folder / "parquet"
        return int(os.readlink(link).removeprefix(".parquet-")) if link.is_symlink() else 0


def sync(path: Path) -> None:
    """Make a file or folder durable before its name is switched."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
