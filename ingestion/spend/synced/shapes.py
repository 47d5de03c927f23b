"""The shapes in which tools store the tables of ad platforms, and where a source has them.

In: <tool>/<platform>.sql, and the names of a source's tables. Out: Shapes, and Locations: one for each schema, prefix
or folder with spend tables of the platform, because a second connection has its own schema.

A shape begins with comments that declare what it reads (`?`: may be absent and is then null; `|`: another name of it):
    -- schema: facebook_ads, facebook              words in names of schemas, or at the end of table prefixes; *: any
                                                   schema with a name of no platform
    -- table basic_ad: ad_id, date, spend, clicks?             a table
    -- latest ad_history? by id, updated_time: name            a table with several rows of a key: the last one counts
Selects follow:
    -- level ad of basic_ad in units                           spend of a level (account, campaign, adset, ad), and the
                                                               unit of its column spend
    -- total keyword of keyword_stats in micros                other spend: totalled and reported, not stored
    -- entities                                                names, statuses, destination URLs, budgets
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
_WITHOUT_SCHEMA = ("", "main")  # the name of the folder or of the DuckDB file replaces these


class Table(NamedTuple):
    names: list[str]  # the first one is the name in the selects
    columns: dict[str, bool]  # column -> whether it may be absent
    is_optional: bool
    key: list[str]  # the last row of each key counts; empty: all rows count
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
    """How a tool stores a platform's tables."""

    platform: str
    schemas: list[str]
    tables: list[Table]
    levels: list[Level]
    entities: str


class Location(NamedTuple):
    """A place in a source that has tables of a shape."""

    example: str  # the name of one of its spend tables
    tables: dict[str, str]  # the shape's name -> the name in the source


@cache
def shapes(tool: str) -> list[Shape]:
    """Return the shapes of a tool, one for each platform."""
    return [_parse_shape(path) for path in sorted((SHAPES / tool).glob("*.sql"))]


def _parse_shape(path: Path) -> Shape:
    text = path.read_text()
    selects = list(_SELECT.finditer(text))
    return Shape(
        platform=path.stem,
        schemas=text.partition("-- schema: ")[2].partition("\n")[0].split(", "),
        tables=[_parse_table(**match.groupdict()) for match in _TABLE.finditer(text)],
        levels=[
            Level(
                name=each["level"],
                table=each["table"],
                is_micros=each["unit"] == "micros",
                is_stored=each["kind"] == "level",
                sql=each["sql"],
            )
            for each in selects
            if each["kind"]
        ],
        entities=next(each["sql"] for each in selects if not each["kind"]),
    )


def _parse_table(names: str, optional: str, key: str | None, columns: str) -> Table:
    keys = key.split(", ") if key else []
    latest_by = keys.pop() if keys else None
    listed = [*keys, *([f"{latest_by}?"] if latest_by else []), *columns.split(", ")]
    return Table(
        names=names.split("|"),
        columns={name.rstrip("?"): name.endswith("?") for name in listed},
        is_optional=bool(optional),
        key=keys,
        latest_by=latest_by,
    )


def locate(tool: str, shape: Shape, tables: Iterable[str], source: str) -> list[Location]:
    """Return the locations of a shape among a source's tables. source: the name of the folder or of the DuckDB file."""
    spend = {level.table for level in shape.levels}
    candidates: dict[tuple[str, str], dict[str, tuple[int, str]]] = {}
    for name in sorted(tables):
        for place, table, rank in _matches(tool, shape, name, source.lower()):
            best = candidates.setdefault(place, {})
            best[table] = min(best.get(table, (rank, name)), (rank, name))
    return [
        Location(
            example=next(name for table, (_, name) in best.items() if table in spend),
            tables={table: name for table, (_, name) in best.items()},
        )
        for _, best in sorted(candidates.items())
        if spend & set(best)
    ]


def _matches(tool: str, shape: Shape, name: str, source: str) -> Iterator[tuple[tuple[str, str], str, int]]:
    """Yield (place, the shape's table, rank) for each table of the shape that `name` may be. The lowest rank wins."""
    schema, _, bare = name.rpartition(".")
    for table in shape.tables:
        for rank, known in enumerate(table.names):
            for candidate in (known, f"{known}_data"):
                if bare == candidate and _is_schema_of(tool, shape, source if schema in _WITHOUT_SCHEMA else schema):
                    yield (schema, ""), table.name, 100 * rank
                for position, word in enumerate(shape.schemas, 1):
                    prefix = bare.removesuffix(f"_{candidate}") if bare.endswith(f"_{candidate}") else ""
                    if prefix == word or prefix.endswith(f"_{word}"):
                        yield (schema, prefix.removesuffix(word)), table.name, 100 * rank + position


def _is_schema_of(tool: str, shape: Shape, schema: str) -> bool:
    if _names_platform(shape, schema):
        return True
    return "*" in shape.schemas and not any(_names_platform(other, schema) for other in shapes(tool))


def _names_platform(shape: Shape, schema: str) -> bool:
    return any(re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", schema) for word in shape.schemas)
