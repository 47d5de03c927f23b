"""Enlarge a simulated org's published file by SQL: a year of days, and as many people as wanted.

In: a published file of a fortnight, the number of touchpoints. Out: a published file of 26 such fortnights. Rows of
people (touchpoints, conversions, journeys, …) are copied with new ids, rows of days and campaigns with later days. The
figures are no realistic ones; the sizes are.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

DAYS, PERIODS = 14, 26
PEOPLE = (
    "conversion_id", "touchpoint_id", "journey_id", "session_id", "person_key", "visitor_id", "customer_id", "order_id",
)  # fmt: skip
UNCHANGED = (
    "meta", "promises", "orgs", "conversion_windows", "touch_type_windows", "campaigns", "ad_entities", "notices",
    "input_checks", "spend_freshness", "channel_effects", "channel_transitions", "channel_weights", "channel_roles",
    "conversion_paths", "journey_distributions", "model_comparison", "decision_flips", "waste_flags",
)  # fmt: skip


def enlarge(source: Path, target: Path, touchpoints: int) -> dict[str, int]:
    """Write the enlarged file. Return its rows by table."""
    rows: dict[str, int] = {}
    with duckdb.connect() as connection:
        connection.execute("set preserve_insertion_order = false")
        connection.execute(f"attach '{source}' as source (read_only)")
        connection.execute(f"attach '{target}' as target (storage_version 'v1.0.0')")
        (touches,) = connection.execute("select count(*) from source.touchpoints").fetchone()
        copies = max(PERIODS, touchpoints // touches)
        tables = connection.execute(
            "select table_name from duckdb_tables() where database_name = 'source' order by 1"
        ).fetchall()
        for (table,) in tables:
            number = 1 if table in UNCHANGED else copies if of_people(connection, table) else PERIODS
            repeated = f", range({number}) as k(k)" if number > 1 else ""
            sql = f"select {columns(connection, table)} from source.{table}{repeated}"
            connection.execute(f"create table target.{table} as {sql}")
            (rows[table],) = connection.execute(f"select count(*) from target.{table}").fetchone()
        views = connection.execute(
            "select sql from duckdb_views() where database_name = 'source' and not internal"
        ).fetchall()
        connection.execute("use target")
        for (sql,) in views:
            connection.execute(sql)
        connection.execute("use memory")
    return rows


def of_people(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Return whether a table has a row for each touchpoint, conversion, journey or session."""
    return bool(
        connection.execute(
            "select 1 from duckdb_columns() where database_name = 'source' and table_name = ? and column_name in"
            " ('conversion_id', 'touchpoint_id', 'journey_id', 'session_id')",
            [table],
        ).fetchall()
    )


def columns(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """Return the columns of a copy: later days, other ids."""
    found = connection.execute(
        "select column_name, data_type from duckdb_columns() where database_name = 'source' and table_name = ?"
        " order by column_index",
        [table],
    ).fetchall()
    return ", ".join(column if table in UNCHANGED else copied(column, kind) for column, kind in found)


def copied(column: str, kind: str) -> str:
    """Return the SQL of a column in the k-th copy."""
    later = f"(k % {PERIODS})::int * {DAYS}"
    if kind == "DATE":
        return f"{column} - {later} as {column}"
    if kind == "TIMESTAMP":
        return f"{column} - to_days({later}) as {column}"
    if column in PEOPLE:
        return f"{column} || '-' || k as {column}"
    return f"{column} + k * 1000000 as {column}" if column == "rollup_id" else column
