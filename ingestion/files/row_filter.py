"""Evaluate the condition of --where in a separate database that has the file's columns and nothing else.

In: the temporary table `source`, and a condition in SQL. Out: the temporary table `selected_rows`(_row).

The condition is arbitrary SQL. In its own database without external access it can read neither files nor the warehouse.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile

import duckdb

from ingestion.sql import Connection, literal, scalar

_BATCH = 100_000  # rows


def select_rows(connection: Connection, columns: str, condition: str) -> None:
    """Create `selected_rows`. columns: the SQL of the file's columns. Raise duckdb.Error or ValueError."""
    query = f"select _row from file where (\n{condition}\n)"
    folder, memory = (
        scalar(connection, f"select current_setting('{name}')") for name in ("temp_directory", "memory_limit")
    )
    folder = folder if folder and Path(folder).is_dir() else None
    with (
        NamedTemporaryFile(dir=folder, suffix=".parquet") as copy,
        duckdb.connect(config={"memory_limit": memory, "temp_directory": folder or ""}) as alone,
    ):
        connection.execute(
            f"copy (select rowid as _row, {columns} from temp.source) to {literal(copy.name)} (format parquet)"
        )
        alone.execute("set TimeZone = 'UTC'")
        alone.execute(f"create table file as from read_parquet({literal(copy.name)})")
        alone.execute(
            "set python_enable_replacements = false; set enable_external_access = false; set lock_configuration = true"
        )
        if len(alone.extract_statements(query)) != 1:
            raise ValueError("this is several statements. Write one condition")
        found = alone.execute(query)
        connection.execute("create or replace temp table selected_rows (_row bigint)")
        while rows := [row for (row,) in found.fetchmany(_BATCH)]:
            connection.execute("insert into selected_rows select unnest($1)", [rows])
