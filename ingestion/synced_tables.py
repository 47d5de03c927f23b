"""What another tool synced, made readable: shapes from SQL files, and views named as the shapes name their tables.

In: ingestion/shapes/<tool>/<platform>.sql, and a DuckDB file or a folder of CSV or Parquet files. Out: Shapes;
temporary views of text columns, so that no amount passes through a float: of a history the latest row of each key.

A shape begins with comments that say what it reads (`?`: may be absent, and is null then):
    -- schema: facebook_ads, facebook                        where its tables are, or what their names begin with
    -- table basic_ad: ad_id, date, spend, clicks?           a table
    -- latest ad_history? by id, updated_time: name          a history
and goes on with selects:
    -- level ad of basic_ad in units                         spend of a level (account, campaign, adset, ad)
    -- total keyword of keyword_stats in micros              spend by something else: summed and told, not stored
    -- entities                                              names, states, destinations, budgets
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import duckdb

from ingestion.contracts import ContractError
from ingestion.read import Connection, literal, quoted

SHAPES = Path(__file__).parent / "shapes"
_ATTACHED = "synced"
_SUFFIXES = (".csv", ".csv.gz", ".parquet")
_TABLE = re.compile(r"^-- table (?P<name>\w+)(?P<optional>\??): (?P<columns>.+)$", re.M)
_LATEST = re.compile(
    r"^-- latest (?P<name>\w+)(?P<optional>\??) by (?P<key>\w+), (?P<order>\w+): (?P<columns>.+)$", re.M
)
_SELECT = re.compile(
    r"^-- (?:(?P<kind>level|total) (?P<level>\w+) of (?P<table>\w+) in (?P<unit>units|micros)|entities)$\n"
    r"(?P<sql>[^;]+);",
    re.M,
)


class Table(NamedTuple):
    name: str
    columns: dict[str, bool]  # column -> whether it may be absent
    is_optional: bool
    key: str | None = None  # of a history: the latest row of each key counts
    latest_by: str | None = None


class Level(NamedTuple):
    name: str
    table: str
    is_micros: bool
    is_stored: bool
    sql: str


class Shape(NamedTuple):
    """How a tool lays a platform's tables out."""

    platform: str
    schemas: list[str]
    tables: list[Table]
    levels: list[Level]
    entities: str | None


@cache
def shapes(tool: str) -> list[Shape]:
    """The shapes of a tool, one a platform."""
    return [_shape(path) for path in sorted((SHAPES / tool).glob("*.sql"))]


def _shape(path: Path) -> Shape:
    text = path.read_text()
    tables = [
        Table(match["name"], _columns(match["columns"]), bool(match["optional"])) for match in _TABLE.finditer(text)
    ]
    for match in _LATEST.finditer(text):
        columns = _columns(f"{match['key']}, {match['order']}?, {match['columns']}")
        tables.append(Table(match["name"], columns, bool(match["optional"]), match["key"], match["order"]))
    selects = list(_SELECT.finditer(text))
    schemas = text.partition("-- schema: ")[2].partition("\n")[0].split(", ")
    return Shape(
        path.stem, schemas, tables,
        [Level(each["level"], each["table"], each["unit"] == "micros", each["kind"] == "level", each["sql"])
         for each in selects if each["kind"]],
        next((each["sql"] for each in selects if not each["kind"]), None),
    )  # fmt: skip


def _columns(listed: str) -> dict[str, bool]:
    return {name.rstrip("?"): name.endswith("?") for name in listed.split(", ")}


@contextmanager
def synced_tables(connection: Connection, path: Path) -> Iterator[dict[str, str]]:
    """name (schema.table, or a file's) in lower case -> SQL that reads it."""
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if file.name.lower().endswith(_SUFFIXES)]
        yield {_name(file, path): _relation(file) for file in files}
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
    stem = file.name.lower()
    for suffix in _SUFFIXES:
        stem = stem.removesuffix(suffix)
    parent = file.parent.relative_to(folder)
    return ".".join([*(part.lower() for part in parent.parts), stem])


def _relation(file: Path) -> str:
    if file.suffix.lower() == ".parquet":
        return f"read_parquet({literal(file)})"
    return f"read_csv({literal(file)}, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')"


def find(tables: dict[str, str], shape: Shape, name: str) -> str | None:
    """The name under which a shape's table is there."""
    for schema in shape.schemas:
        for candidate in (f"{schema}.{name}", f"{schema}_{name}", f"{schema}_{name}_data", f"main.{schema}_{name}"):
            if candidate in tables:
                return candidate
    return None


@contextmanager
def views(connection: Connection, shape: Shape, tables: dict[str, str]) -> Iterator[dict[str, str]]:
    """Views of the shape's tables; yields those that are there: name -> name in `tables`. ContractError otherwise."""
    found = {table.name: name for table in shape.tables if (name := find(tables, shape, table.name))}
    for table in shape.tables if found else ():
        connection.execute(_view(connection, shape, table, found.get(table.name), tables))
    yield found
    for table in shape.tables if found else ():  # after an error the caller's transaction takes them back
        connection.execute(f"drop view temp.{quoted(table.name)}")


def _view(connection: Connection, shape: Shape, table: Table, name: str | None, tables: dict[str, str]) -> str:
    if name is None:
        if not table.is_optional:
            raise ContractError(
                f"{shape.platform}: the table {table.name} is missing (looked for {shape.schemas[0]}.{table.name} and"
                f" {shape.schemas[0]}_{table.name}): sync it, too"
            )
        columns, relation = dict.fromkeys(table.columns), "(select 1 limit 0)"
    else:
        relation = tables[name]
        try:
            described = connection.execute(f"describe from {relation}").fetchall()
        except duckdb.Error as error:
            raise ContractError(f"{name} cannot be read: {str(error).splitlines()[0]}") from None
        there = {column.strip().lower(): column for column, *_ in described}
        missing = [column for column, may in table.columns.items() if not may and column not in there]
        if missing:
            raise ContractError(
                f"{shape.platform}: {name} has no column {', '.join(missing)}. It has: {', '.join(sorted(there))}"
            )
        columns = {column: there.get(column) for column in table.columns}
    brought = ", ".join(f"{_text(column)} as {quoted(its)}" for its, column in columns.items())
    latest = ""
    if table.key:
        order = quoted(table.latest_by or table.key)
        latest = f" qualify row_number() over (partition by {quoted(table.key)} order by {order} desc nulls last) = 1"
    return f"create temp view {quoted(table.name)} as select {brought} from {relation}{latest}"


def _text(column: str | None) -> str:
    return "null::varchar" if column is None else f"nullif(trim({quoted(column)}::varchar), '')"
