"""Read the tables that another tool has synced.

In: a DuckDB file, or a folder of CSV or Parquet files. Out: SQL that reads each table, and temporary views with the
names of a shape. Views have text columns, so that no amount passes through a float; of a table with several rows of a
key, they have the last one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ingestion.files.contracts import ContractError
from ingestion.spend.synced.shapes import Location, Shape, Table
from ingestion.sql import Connection, literal, quoted

_ATTACHED = "synced"
_SUFFIXES = (".csv", ".csv.gz", ".parquet")
_PART = re.compile(r"part-.*|[\d_-]+")  # the name of a file that is one part of a table, which its folder names


@contextmanager
def source_tables(connection: Connection, path: Path) -> Iterator[dict[str, str]]:
    """Yield SQL that reads each table, by its name in lower case: schema.table, or the path of a file."""
    if path.is_dir():
        files: dict[str, list[Path]] = {}
        for file in sorted(path.rglob("*")):
            if file.name.lower().endswith(_SUFFIXES):
                files.setdefault(_table_name(file, path), []).append(file)
        yield {name: _read_files_sql(parts) for name, parts in files.items()}
        return
    if not path.exists():
        raise ContractError(
            f"{path} does not exist. Set a DuckDB file or a folder as the path of `synced:` in tributary.yaml"
        )
    try:
        connection.execute(f"attach {literal(path)} as {_ATTACHED} (read_only)")
    except duckdb.Error as error:
        raise ContractError(f"{path} is not a readable DuckDB file: {str(error).splitlines()[0]}") from None
    try:
        rows = connection.execute(
            f"select table_schema, table_name from information_schema.tables where table_catalog = '{_ATTACHED}'"
        ).fetchall()
        yield {f"{schema}.{name}".lower(): f"{_ATTACHED}.{quoted(schema)}.{quoted(name)}" for schema, name in rows}
    finally:
        connection.execute(f"detach {_ATTACHED}")


def _table_name(file: Path, folder: Path) -> str:
    *parents, name = (part.lower() for part in file.relative_to(folder).parts)
    stem = re.sub(r"\.(csv|csv\.gz|parquet)$", "", name)
    return ".".join(parents if parents and _PART.fullmatch(stem) else [*parents, stem])


def _read_files_sql(files: list[Path]) -> str:
    if len({file.suffix.lower() == ".parquet" for file in files}) > 1:
        raise ContractError(f"{files[0]} and {files[-1]} are one table in two formats. Remove one of them")
    listed = f"[{', '.join(literal(file) for file in files)}], union_by_name = true"
    if files[0].suffix.lower() == ".parquet":
        return f"read_parquet({listed})"
    return f"read_csv({listed}, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')"


@contextmanager
def shape_views(connection: Connection, shape: Shape, location: Location, tables: dict[str, str]) -> Iterator[None]:
    """Create the views of a shape's tables at a location. Raise ContractError if a table or a column is missing."""
    for table in shape.tables:
        connection.execute(_view_sql(connection, shape, table, location, tables))
    yield
    for table in shape.tables:  # after an error, the caller's transaction rolls them back
        connection.execute(f"drop view temp.{quoted(table.name)}")


def _view_sql(connection: Connection, shape: Shape, table: Table, location: Location, tables: dict[str, str]) -> str:
    name = location.tables.get(table.name)
    if name is None:
        if not table.is_optional:
            raise ContractError(
                f"{shape.platform}: the table {' or '.join(table.names)} is missing beside {location.example}."
                " Sync it, too"
            )
        nulls = ", ".join(f"null::varchar as {quoted(column)}" for column in table.columns)
        return f"create temp view {quoted(table.name)} as select {nulls} from (select 1 limit 0)"
    try:
        described = connection.execute(f"describe from {tables[name]}").fetchall()
    except duckdb.Error as error:
        raise ContractError(f"{name} cannot be read: {str(error).splitlines()[0]}") from None
    present = {column.strip().lower(): (column, type_) for column, type_, *_ in described}
    missing = [column for column, may_be_absent in table.columns.items() if not may_be_absent and column not in present]
    if missing:
        raise ContractError(
            f"{shape.platform}: {name} has no column {', '.join(missing)}. It has: {', '.join(sorted(present))}"
        )
    columns = ", ".join(
        f"{_text_sql(*present[column]) if column in present else 'null::varchar'} as {quoted(column)}"
        for column in table.columns
    )
    latest = ""
    if table.key:
        key = ", ".join(f"source.{quoted(present[column][0])}" for column in table.key)
        order = f"source.{quoted(present[table.latest_by][0])} desc nulls last" if table.latest_by in present else "1"
        latest = f" qualify row_number() over (partition by {key} order by {order}) = 1"
    return f"create temp view {quoted(table.name)} as select {columns} from {tables[name]} as source{latest}"


def _text_sql(column: str, type_: str) -> str:
    """Return SQL of a value's text: JSON of a nested value, UTC of a time, no `.0` after a whole number."""
    value = quoted(column)
    if type_.startswith(("STRUCT", "MAP")) or type_.endswith("]"):
        value = f"to_json({value})"
    elif type_ == "TIMESTAMP WITH TIME ZONE":
        value = f"timezone('UTC', {value})"
    text = f"nullif(trim({value}::varchar), '')"
    if type_ in ("DOUBLE", "FLOAT"):
        return f"if({value} = trunc({value}) and abs({value}) < 1e15, {value}::bigint::varchar, {text})"
    return text
