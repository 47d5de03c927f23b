"""Column lineage: which columns of its parents each column of a model comes from.

In: compiled SQL, the columns of the warehouse. Out: Dagster's TableColumnLineage, kept in a file from run to run.

dagster-dbt can do this too, but it parses and qualifies the whole SQL again for every column.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

import dagster as dg
import msgspec
from sqlglot import MappingSchema, exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage

DIALECT = "duckdb"
RELATION = re.compile(r'"\w+"\."(\w+)"\."(\w+)"')  # as dbt compiles ref() and source()

Columns = Mapping[str, Mapping[str, Mapping[str, str]]]  # types by schema, table and column
Origin = tuple[str, str, str]  # schema, table, column


class Traced(msgspec.Struct, frozen=True):
    """The origins of each column of a model, and the digest of what they were traced from."""

    digest: str
    origins: dict[str, list[Origin]]

    def as_dagster(self) -> dg.TableColumnLineage:
        return dg.TableColumnLineage(
            {
                column: [dg.TableColumnDep(dg.AssetKey([schema, table]), name) for schema, table, name in origins]
                for column, origins in self.origins.items()
            }
        )


def column_lineage(
    models: Mapping[dg.AssetKey, str | None], columns: Columns, kept: Path, warn: Callable[[str], object]
) -> dict[dg.AssetKey, dg.TableColumnLineage]:
    """Return the lineage of each model's compiled SQL, traced again only if it or its parents' columns changed.

    A model without SQL is unchanged and has its earlier lineage, if any. `kept` is the file of the lineages of earlier
    runs; a missing or damaged one counts as empty. `warn` gets a sentence for each model that sqlglot cannot trace.
    """
    before = read(kept)
    traced: dict[str, Traced] = {}
    schema: MappingSchema | None = None
    for key, sql in models.items():
        name, earlier = key.to_user_string(), before.get(key.to_user_string())
        if sql is None:
            traced |= {name: earlier} if earlier else {}
            continue
        digest = digest_of(sql, columns)
        if earlier and earlier.digest == digest:
            traced[name] = earlier
            continue
        schema = schema or MappingSchema({**columns}, dialect=DIALECT)
        try:
            traced[name] = Traced(digest, trace(sql, schema))
        except (SqlglotError, ValueError) as error:  # SQL that DuckDB ran may still be beyond the parser
            warn(f"no column lineage of {name}: {error}")
    if schema:
        write(kept, before | traced)
    return {key: found.as_dagster() for key in models if (found := traced.get(key.to_user_string()))}


def trace(sql: str, schema: MappingSchema) -> dict[str, list[Origin]]:
    """Return the stored columns that each column of a query comes from, sorted."""
    query = parse_one(sql, dialect=DIALECT)
    for table in query.find_all(exp.Table):
        table.set("catalog", None)  # the file's name, which is not in the schema
    # Trimmed selects are labels for people, and copying them takes most of the time.
    nodes = lineage(None, query, schema, dialect=DIALECT, copy=False, trim_selects=False)
    return {column: sorted(origins(node)) for column, node in nodes.items()}


def origins(node: Node) -> set[Origin]:
    """Return the stored columns that a lineage ends in."""
    return {
        (leaf.expression.db, leaf.expression.name, exp.to_column(leaf.name).name.lower())
        for leaf in node.walk()
        if not leaf.downstream and isinstance(leaf.expression, exp.Table) and leaf.expression.db
    }


def digest_of(sql: str, columns: Columns) -> str:
    """Return a digest of everything that a lineage depends on."""
    parents = {(schema, table): columns.get(schema, {}).get(table) for schema, table in RELATION.findall(sql)}
    return blake2b(msgspec.json.encode((version("sqlglot"), sql, [*parents.items()])), digest_size=16).hexdigest()


def read(kept: Path) -> dict[str, Traced]:
    """Return the lineages of earlier runs by model."""
    try:
        return msgspec.json.decode(kept.read_bytes(), type=dict[str, Traced])
    except (OSError, msgspec.DecodeError):
        return {}


def write(kept: Path, traced: dict[str, Traced]) -> None:
    """Replace the file in one step."""
    written = kept.with_suffix(".new")
    written.write_bytes(msgspec.json.encode(traced))
    os.replace(written, kept)
