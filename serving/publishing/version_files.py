"""Write the files of one published version.

In: a connection to the warehouse, SQL of each table. Out: a DuckDB file, or Parquet files.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import duckdb

from serving.published import literal, scalar

# A table of one of these would be many times as large as the tables that the view reads. The promises are a view in the
# warehouse only: the published file has a table of the results that were checked.
VIEWS = ("attribution_candidates", "channel_summary", "daily_rollups", "window_links")


def write_database(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    sources: Mapping[str, str],
    *,
    version: int,
    published_at: datetime,
    loaded: Mapping[str, int],
) -> dict[str, int]:
    """Write a database with a table of each source, the views and `meta`. Return the rows of each table.

    sources: SQL after `from` by table. published_at: UTC. loaded: rows of the raw tables behind the version.
    """
    connection.execute(f"attach {literal(path)} as target (storage_version 'v1.0.0')")
    try:
        rows = {
            table: scalar(connection, f"create table target.main.{table} as from {source}")
            for table, source in sources.items()
        }
        warehouse = scalar(connection, "select current_database()")
        for view in VIEWS:
            sql = scalar(
                connection,
                f"select sql from duckdb_views() where schema_name = 'marts' and view_name = {literal(view)}",
            )
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
            " select $version::bigint as version, $published_at::timestamp as published_at,"
            " $loaded::json as loaded, $counts::json as counts, $checks::json as checks",
            {
                "version": version,
                "published_at": published_at,
                "loaded": json.dumps(loaded),
                "counts": json.dumps(rows),
                "checks": json.dumps(dict(checks)),
            },
        )
    finally:
        connection.execute("detach target")
    return rows


def write_parquet(
    connection: duckdb.DuckDBPyConnection, database: str, tables: Iterable[str], folder: Path, earlier: Path
) -> None:
    """Write a Parquet file of each table of an attached database.

    A table that did not change since the version in the folder `earlier` gets a second name for its file there.
    """
    for table in tables:
        name, relation = f"{table}.parquet", f"{database}.main.{table}"
        if has_same_rows(connection, relation, earlier / name):
            link_or_copy(earlier / name, folder / name)
        else:
            connection.execute(
                f"copy (from {relation}) to {literal(folder / name)}"
                " (format parquet, compression zstd, compression_level 1)"
            )


def link_or_copy(file: Path, name: Path) -> None:
    """Give a file a second name, or copy it where the file system has no hard links or is another one."""
    try:
        os.link(file, name)
    except OSError:
        shutil.copyfile(file, name)


def has_same_rows(connection: duckdb.DuckDBPyConnection, relation: str, file: Path) -> bool:
    """Return whether a Parquet file has the columns and the rows of a table, in any order. A damaged file has not."""
    if not file.exists():
        return False
    stored = f"read_parquet({literal(file)})"
    columns = "select column_name, column_type from (describe from {})"
    # The counts come from metadata. They differ for most tables that changed.
    queries = (columns, "select count(*) from {}", "select sum(hash(t)), bit_xor(hash(t)) from {} as t")
    for query in queries:
        wanted = connection.execute(query.format(relation)).fetchall()
        try:
            if connection.execute(query.format(stored)).fetchall() != wanted:
                return False
        except duckdb.Error:
            return False
    return True
