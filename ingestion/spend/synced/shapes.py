"""How tools lay the tables of ad platforms out: shapes from SQL files, and where the tables of a shape are.

In: <tool>/<platform>.sql, and the names of tables. Out: Shapes, and their Places: one for each schema
(or prefix, or folder) that holds tables of spend of the platform, as a second connection has a schema of its own.

A shape begins with comments that say what it reads (`?`: may be absent, and is null then; `|`: another name of it):
    -- schema: facebook_ads, facebook              what names of schemas contain, or prefixes of tables end with; *: any
                                                   schema whose name tells no platform
    -- table basic_ad: ad_id, date, spend, clicks?             a table
    -- latest ad_history? by id, updated_time: name            one in which a key has many rows: the last counts
and goes on with selects:
    -- level ad of basic_ad in units                           spend of a level (account, campaign, adset, ad); the
                                                               unit is that of its column spend
    -- total keyword of keyword_stats in micros                spend by something else: summed and told, not stored
    -- entities                                                names, states, destinations, budgets
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

SHAPES = Path(__file__).parent
_TABLE = re.compile(
    r"^-- (?:table|latest) (?P<names>\w+(?:\|\w+)*)(?P<optional>\??)(?: by (?P<key>[^:]+))?: (?P<columns>.+)$", re.M
)
_SELECT = re.compile(
    r"^-- (?:(?P<kind>level|total) (?P<level>\w+) of (?P<table>\w+) in (?P<unit>units|micros)|entities)$\n"
    r"(?P<sql>[^;]+);",
    re.M,
)
_WITHOUT_SCHEMA = ("", "main")  # the name of the folder or of the DuckDB file stands for it


class Table(NamedTuple):
    names: list[str]  # the first is the shape's own
    columns: dict[str, bool]  # column -> whether it may be absent
    is_optional: bool
    key: list[str]  # of which the last row counts; empty: all rows do
    latest_by: str | None

    @property
    def name(self) -> str:
        return self.names[0]


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
    entities: str


class Place(NamedTuple):
    """Where tables of a shape are."""

    example: str  # the name of a table of spend that is there
    found: dict[str, str]  # the shape's name -> the name that the table has


@cache
def shapes(tool: str) -> list[Shape]:
    """The shapes of a tool, one a platform."""
    return [_shape(path) for path in sorted((SHAPES / tool).glob("*.sql"))]


def _shape(path: Path) -> Shape:
    text = path.read_text()
    selects = list(_SELECT.finditer(text))
    return Shape(
        path.stem,
        text.partition("-- schema: ")[2].partition("\n")[0].split(", "),
        [_table(**match.groupdict()) for match in _TABLE.finditer(text)],
        [
            Level(each["level"], each["table"], each["unit"] == "micros", each["kind"] == "level", each["sql"])
            for each in selects
            if each["kind"]
        ],
        next(each["sql"] for each in selects if not each["kind"]),
    )


def _table(names: str, optional: str, key: str | None, columns: str) -> Table:
    *keys, latest_by = key.split(", ") if key else [None]
    listed = [*keys, *([f"{latest_by}?"] if latest_by else []), *columns.split(", ")]
    return Table(
        names.split("|"), {name.rstrip("?"): name.endswith("?") for name in listed}, bool(optional), keys, latest_by
    )


def places(tool: str, shape: Shape, tables: Iterable[str], source: str) -> list[Place]:
    """The places of a shape among the tables of a source, by name. source: of the folder or of the DuckDB file."""
    spend = {level.table for level in shape.levels}
    found: dict[tuple[str, str], dict[str, tuple[int, str]]] = {}
    for name in sorted(tables):
        for place, table, rank in _readings(tool, shape, name, source.lower()):
            there = found.setdefault(place, {})
            there[table] = min(there.get(table, (rank, name)), (rank, name))
    return [
        Place(next(name for table, (_, name) in there.items() if table in spend), {k: v for k, (_, v) in there.items()})
        for _, there in sorted(found.items())
        if spend & set(there)
    ]


def _readings(tool: str, shape: Shape, name: str, source: str) -> Iterator[tuple[tuple[str, str], str, int]]:
    """What a table may be to a shape: its place, the shape's table, and how likely it is (less is more)."""
    schema, _, bare = name.rpartition(".")
    for table in shape.tables:
        for rank, known in enumerate(table.names):
            for own in (known, f"{known}_data"):
                if bare == own and _is_of(tool, shape, source if schema in _WITHOUT_SCHEMA else schema):
                    yield (schema, ""), table.name, 100 * rank
                for position, hint in enumerate(shape.schemas, 1):
                    prefix = bare.removesuffix(f"_{own}") if bare.endswith(f"_{own}") else ""
                    if prefix == hint or prefix.endswith(f"_{hint}"):
                        yield (schema, prefix.removesuffix(hint)), table.name, 100 * rank + position


def _is_of(tool: str, shape: Shape, schema: str) -> bool:
    if _tells(shape, schema):
        return True
    return "*" in shape.schemas and not any(_tells(other, schema) for other in shapes(tool))


def _tells(shape: Shape, schema: str) -> bool:
    return any(re.search(rf"(?<![a-z0-9]){re.escape(hint)}(?![a-z0-9])", schema) for hint in shape.schemas)
