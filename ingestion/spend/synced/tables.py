"""What another tool synced, made readable: files and tables under their names, and views as the shapes name them.

In: a DuckDB file or a folder of CSV or Parquet files. Out: temporary views of text columns, so that no amount passes
through a float: of a table in which a key has many rows, the last of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ingestion.files.contracts import ContractError
from ingestion.spend.synced.shapes import Place, Shape, Table
from ingestion.sql import Connection, literal, quoted

_ATTACHED = "synced"
_SUFFIXES = (".csv", ".csv.gz", ".parquet")
_PART = re.compile(r"part-.*|[\d_-]+")  # the name of a file that is a part of the table that its folder is


@contextmanager
def synced_tables(connection: Connection, path: Path) -> Iterator[dict[str, str]]:
    """name (schema.table, or a file's) in lower case -> SQL that reads it."""
    if path.is_dir():
        files: dict[str, list[Path]] = {}
        for file in sorted(path.rglob("*")):
            if file.name.lower().endswith(_SUFFIXES):
                files.setdefault(_name(file, path), []).append(file)
        yield {name: _relation(parts) for name, parts in files.items()}
        return
    if not path.exists():
        raise ContractError(f"{path} does not exist: name a DuckDB file or a folder under `synced:` in tributary.yaml")
    try:
        connection.execute(f"attach {literal(path)} as {_ATTACHED} (read_only)")
    except duckdb.Error as error:
        raise ContractError(f"{path} is no DuckDB file that can be read now: {str(error).splitlines()[0]}") from None
    try:
        rows = connection.execute(
            f"select table_schema, table_name from information_schema.tables where table_catalog = '{_ATTACHED}'"
        ).fetchall()
        yield {f"{schema}.{name}".lower(): f"{_ATTACHED}.{quoted(schema)}.{quoted(name)}" for schema, name in rows}
    finally:
        connection.execute(f"detach {_ATTACHED}")


def _name(file: Path, folder: Path) -> str:
    *parents, name = (part.lower() for part in file.relative_to(folder).parts)
    stem = re.sub(r"\.(csv|csv\.gz|parquet)$", "", name)
    return ".".join(parents if parents and _PART.fullmatch(stem) else [*parents, stem])


def _relation(files: list[Path]) -> str:
    if len({file.suffix.lower() == ".parquet" for file in files}) > 1:
        raise ContractError(f"{files[0]} and {files[-1]} are one table in two formats: remove one of them")
    listed = f"[{', '.join(literal(file) for file in files)}], union_by_name = true"
    if files[0].suffix.lower() == ".parquet":
        return f"read_parquet({listed})"
    return f"read_csv({listed}, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')"


@contextmanager
def views(connection: Connection, shape: Shape, place: Place, tables: dict[str, str]) -> Iterator[None]:
    """Views of the shape's tables as they are at a place. ContractError where one, or a column, is missing."""
    for table in shape.tables:
        connection.execute(_view(connection, shape, table, place, tables))
    yield
    for table in shape.tables:  # after an error the caller's transaction takes them back
        connection.execute(f"drop view temp.{quoted(table.name)}")


def _view(connection: Connection, shape: Shape, table: Table, place: Place, tables: dict[str, str]) -> str:
    name = place.found.get(table.name)
    if name is None:
        if not table.is_optional:
            raise ContractError(
                f"{shape.platform}: the table {' or '.join(table.names)} is missing beside {place.example}:"
                " sync it, too"
            )
        nulls = ", ".join(f"null::varchar as {quoted(column)}" for column in table.columns)
        return f"create temp view {quoted(table.name)} as select {nulls} from (select 1 limit 0)"
    try:
        described = connection.execute(f"describe from {tables[name]}").fetchall()
    except duckdb.Error as error:
        raise ContractError(f"{name} cannot be read: {str(error).splitlines()[0]}") from None
    there = {column.strip().lower(): (column, type_) for column, type_, *_ in described}
    missing = [column for column, may in table.columns.items() if not may and column not in there]
    if missing:
        raise ContractError(
            f"{shape.platform}: {name} has no column {', '.join(missing)}. It has: {', '.join(sorted(there))}"
        )
    brought = ", ".join(
        f"{_text(*there[column]) if column in there else 'null::varchar'} as {quoted(column)}"
        for column in table.columns
    )
    latest = ""
    if table.key:
        key = ", ".join(f"source.{quoted(there[column][0])}" for column in table.key)
        order = f"source.{quoted(there[table.latest_by][0])} desc nulls last" if table.latest_by in there else "1"
        latest = f" qualify row_number() over (partition by {key} order by {order}) = 1"
    return f"create temp view {quoted(table.name)} as select {brought} from {tables[name]} as source{latest}"


def _text(column: str, type_: str) -> str:
    """The text of a value: JSON of what is nested, UTC of a moment, and no `.0` of a whole number."""
    value = quoted(column)
    if type_.startswith(("STRUCT", "MAP")) or type_.endswith("]"):
        value = f"to_json({value})"
    elif type_ == "TIMESTAMP WITH TIME ZONE":
        value = f"timezone('UTC', {value})"
    text = f"nullif(trim({value}::varchar), '')"
    if type_ in ("DOUBLE", "FLOAT"):
        return f"if({value} = trunc({value}) and abs({value}) < 1e15, {value}::bigint::varchar, {text})"
    return text
