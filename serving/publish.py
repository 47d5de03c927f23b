"""The warehouse's marts -> what readers open, replaced whole or not at all.

    published/marts.duckdb      every org, readable by DuckDB 1.0 and later
    published/orgs/<org>.duckdb one org each, and nothing of any other
    published/parquet/*.parquet the same tables for tools that read files

Everything is written beside the old version and renamed over it, so that a reader sees the version before or this one.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

# A table of one of these would be many times as large as the tables that the view reads. The promises are a view in the
# warehouse only: the published file has a table of the results that were checked.
VIEWS = ("attribution_candidates", "daily_rollups")
LONG_FORM_ROWS = 5_000_000  # rows up to which daily_rollups is a Parquet file, too: about 75 MB in some seconds


class Version(NamedTuple):
    """A published version."""

    number: int
    published_at: datetime  # UTC
    rows: dict[str, int]  # by table


class PublishError(Exception):
    """A promise is broken: nothing was published, and the last version stays."""


def publish(connection: duckdb.DuckDBPyConnection, folder: Path) -> Version:
    """Write a new version of the published marts into `folder`.

    `connection` is open on the warehouse, under the build lock. Raises PublishError, having written nothing, when a
    promise is broken.
    """
    connection.execute("create or replace temp table promises as from marts.promises")
    broken = broken_promises(connection)
    if broken:
        listed = "\n  ".join(broken[:20])
        raise PublishError(
            f"{len(broken)} checks failed, so nothing was published and the last version stays:\n  {listed}\n"
            "What was loaded since the marts were built is not in them: tributary run builds all. If these checks fail"
            " then, too, mend the model or the input."
        )
    clear_leftovers(folder)
    version, now = last_version(folder) + 1, datetime.now(UTC).replace(tzinfo=None)
    staging = folder / f".new-{version}"
    (staging / "parquet").mkdir(parents=True)
    (staging / "orgs").mkdir()

    sources = {table: f"marts.{table}" for table in mart_tables(connection)} | {"promises": "temp.promises"}
    counts = write_file(connection, staging / "marts.duckdb", version, now, sources, loaded_rows(connection))
    orgs = [org for (org,) in connection.execute("select org_id from marts.orgs order by 1").fetchall()]
    # Everything else is made of the file that is finished, so that no view is asked twice.
    connection.execute(f"attach {literal(staging / 'marts.duckdb')} as whole (read_only)")
    try:
        for org in orgs:
            if len(orgs) == 1 and not names_another(connection, org, counts):
                os.link(staging / "marts.duckdb", staging / "orgs" / f"{org}.duckdb")
                continue
            of_org = {table: f"whole.main.{table} where org_id = {literal(org)}" for table in counts}
            path = staging / "orgs" / f"{org}.duckdb"
            write_file(connection, path, version, now, of_org, loaded_rows(connection, org))
        long_forms = ["daily_rollups"] if has_at_most(connection, "daily_rollups", LONG_FORM_ROWS) else []
        for table in [*counts, *long_forms]:
            target = literal(staging / "parquet" / f"{table}.parquet")
            connection.execute(f"copy (from whole.main.{table}) to {target} (format parquet, compression zstd)")
    finally:
        connection.execute("detach whole")
    swap_in(staging, folder, version)
    return Version(version, now, counts)


def has_at_most(connection: duckdb.DuckDBPyConnection, view: str, rows: int) -> bool:
    """Return whether a view of the finished file has at most this many rows, without reading many more."""
    limited = f"select 1 from whole.main.{view} limit {rows + 1}"
    (has_few,) = connection.execute(f"select count(*) <= {rows} from ({limited})").fetchone() or (False,)
    return bool(has_few)


def names_another(connection: duckdb.DuckDBPyConnection, org: str, tables: Iterable[str]) -> bool:
    """Whether the finished file says anything of another org, such as a notice that tributary.yaml lacks it."""
    rows = (f"from whole.main.{table} where org_id <> {literal(org)} limit 1" for table in tables)
    return any(connection.execute(sql).fetchone() for sql in rows)


def broken_promises(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """One sentence for each check that does not hold."""
    rows = connection.execute("""
        select promise, what, org_id, attribution_model, accounting_mode, grain, expected, actual
        from temp.promises where not is_kept or is_kept is null
        order by all
    """).fetchall()
    return [
        f"{promise}: {what} ({', '.join(part for part in where if part)}): expected {expected}, found {actual}"
        for promise, what, *where, expected, actual in rows
    ]


def write_file(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    version: int,
    now: datetime,
    sources: dict[str, str],
    loaded: dict[str, int],
) -> dict[str, int]:
    """One published database: a table of each source, the views, and `meta`; rows by table."""
    connection.execute(f"attach {literal(path)} as target (storage_version 'v1.0.0')")
    try:
        counts = {}
        for table, source in sources.items():
            connection.execute(f"create table target.main.{table} as from {source}")
            counts[table] = connection.execute(f"select count(*) from target.main.{table}").fetchone()[0]
        warehouse = connection.execute("select current_database()").fetchone()[0]
        for view in VIEWS:
            (sql,) = connection.execute(
                "select sql from duckdb_views() where schema_name = 'marts' and view_name = ?", [view]
            ).fetchone()
            connection.execute("use target")
            try:
                connection.execute(sql.replace("marts.", "main."))  # DuckDB 1 takes a bare name for the CTE itself
            finally:
                connection.execute(f'use "{warehouse}"')
        checks = connection.execute("""
            select promise, count(*) from target.main.promises where is_kept group by promise order by promise
        """).fetchall()
        connection.execute(
            "create table target.main.meta as"
            " select $version::bigint as version, $now::timestamp as published_at,"
            " $loaded::json as loaded, $counts::json as counts, $checks::json as checks",
            {
                "version": version,
                "now": now,
                "loaded": json.dumps(loaded),
                "counts": json.dumps(counts),
                "checks": json.dumps(dict(checks)),
            },
        )
    finally:
        connection.execute("detach target")
    return counts


def loaded_rows(connection: duckdb.DuckDBPyConnection, org: str | None = None) -> dict[str, int]:
    """Rows of the raw tables that this version is made of, of one org or of all."""
    where = f"where org_id = {literal(org)}" if org else ""
    tables = {"events": "all_events"} | {name: name for name in ("interactions", "conversions", "ad_spend")}
    counts = {name: f"select count(*) from raw.{table} {where}" for name, table in tables.items()}
    return {name: connection.execute(sql).fetchone()[0] for name, sql in counts.items()}


def literal(text: object) -> str:
    """The value as an SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


def mart_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The marts that are published as tables, by name."""
    rows = connection.execute(
        "select table_name from information_schema.tables where table_schema = 'marts' order by table_name"
    ).fetchall()
    return [name for (name,) in rows if name not in VIEWS]


def swap_in(staging: Path, folder: Path, version: int) -> None:
    """Rename everything of a finished version over the last one, the main file at the end."""
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
    """Remove what a killed run left behind, and Parquet versions that nobody can still be reading."""
    folder.mkdir(parents=True, exist_ok=True)
    current = os.readlink(folder / "parquet") if (folder / "parquet").is_symlink() else None
    for path in [*folder.glob(".new-*"), *folder.glob(".parquet-*")]:
        if path.name != current:
            shutil.rmtree(path)


def last_version(folder: Path) -> int:
    """The version that is published now, 0 where none is."""
    if not (folder / "marts.duckdb").exists():
        return 0
    with duckdb.connect(str(folder / "marts.duckdb"), read_only=True) as published:
        return published.execute("select version from meta").fetchone()[0]


def sync(path: Path) -> None:
    """Make a file or folder durable before its name is switched."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
