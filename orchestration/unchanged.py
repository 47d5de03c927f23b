"""Seeds and views, which depend on the code alone: a build with the same code leaves them as they are.

In: the warehouse, dbt's manifest. Out: dbt's selection of everything else, and the names of what it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb

# dbt leaves out the tests of seeds with the seeds, and runs those of views, because they depend on data.
EVERYTHING_ELSE = ("--select", "config.materialized:table", "resource_type:test", "--exclude", "resource_type:seed")


@contextmanager
def code_of_views(connection: duckdb.DuckDBPyConnection, code: str, *, is_whole: bool) -> Iterator[bool]:
    """Yield whether this code made all seeds and views of the warehouse, and note it if the block succeeds.

    code: a fingerprint. is_whole: whether the block builds all seeds and views that are not up to date. A table in the
    warehouse has the note. It is deleted before anything is built, so that no failed or killed run leaves a wrong one.
    """
    is_same = _noted(connection) == code
    forget(connection)
    yield is_same
    if is_same or is_whole:
        connection.execute("create or replace table seeds.built_code as select ? as fingerprint", [code])


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Delete the note: the next build makes all seeds and views."""
    connection.execute("drop table if exists seeds.built_code")


def seeds_and_views(manifest: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the schema and the name of each seed and view."""
    return {
        (node["schema"], node["name"])
        for node in manifest["nodes"].values()
        if node["config"]["materialized"] in ("seed", "view")
    }


def tests_of_seeds(manifest: Mapping[str, Any]) -> set[str]:
    """Return the ids of the tests that read seeds only."""
    return {
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "test" and all(parent.startswith("seed.") for parent in node["depends_on"]["nodes"])
    }


def _noted(connection: duckdb.DuckDBPyConnection) -> str | None:
    try:
        ((code,),) = connection.execute("select fingerprint from seeds.built_code").fetchall()
    except duckdb.CatalogException:
        return None
    return str(code)
