"""The compiled SQL of a model and its parents' columns -> the parents' columns that each of its columns comes from.

dagster-dbt can do this too, but reads and qualifies the whole SQL again for every column: most of a run's time.
"""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg
from sqlglot import exp, parse_one
from sqlglot.lineage import Node, lineage

# Columns and their types by schema and table, as the warehouse has them.
Schema = Mapping[str, Mapping[str, Mapping[str, str]]]


def column_lineage(sql: str, schema: Schema, dialect: str = "duckdb") -> dg.TableColumnLineage:
    """Where each column of a query comes from. Asset keys are [schema, table], as everywhere in the project."""
    query = parse_one(sql, dialect=dialect)
    for table in query.find_all(exp.Table):
        table.set("catalog", None)  # the file's name, which says nothing and is not in `schema`
    nodes = lineage(None, query, schema, dialect=dialect, copy=False)
    return dg.TableColumnLineage(
        deps_by_column={
            column: [dg.TableColumnDep(dg.AssetKey(list(path)), name) for path, name in sorted(origins(node))]
            for column, node in nodes.items()
        }
    )


def origins(node: Node) -> set[tuple[tuple[str, str], str]]:
    """((schema, table), column) of every stored column that a lineage ends in."""
    return {
        ((leaf.expression.db, leaf.expression.name), exp.to_column(leaf.name).name.lower())
        for leaf in node.walk()
        if not leaf.downstream and isinstance(leaf.expression, exp.Table) and leaf.expression.db
    }
