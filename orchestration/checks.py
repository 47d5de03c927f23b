"""dbt's tests as asset checks.

In: results of dbt, the warehouse. Out: an AssetCheckResult for each test that ran, with the values that failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import dagster as dg
import duckdb
from dbt.artifacts.resources.types import NodeType
from dbt.artifacts.schemas.run import RunResult

from ingestion.text import counted
from orchestration.metadata import plain, table

SHOWN_ROWS = 5
TESTED = ("unique_field", "value_field", "from_field")  # dbt's names of the tested column in a test's rows

# Runs stay in Dagster's history for weeks, and an erasure cannot change them. So they contain no text of a column with
# one of these words in its name, and no finding of a check that names an id of a person.
PERSONAL_WORDS = frozenset(
    (
        *("address", "anon", "answer", "click", "conversion", "customer", "email", "event", "ip", "link", "order"),
        *("page", "path", "person", "phone", "properties", "query", "referrer", "session", "touch", "touchpoint"),
        *("transaction", "url", "user", "visitor"),
    )
)
PERSONAL_FINDINGS = ("no_shared_id",)


class Found(NamedTuple):
    """The rows that a failed test found: a sentence with their number and the first one, and the first SHOWN_ROWS."""

    sentence: str
    rows: list[dict[str, str | int | float | bool | None]]


def description(test: Mapping[str, Any]) -> str:
    """Return the description of a test in dbt's manifest, which its project states or its kind implies."""
    if stated := test.get("description") or test.get("meta", {}).get("description"):
        return str(stated)
    generic = test.get("test_metadata") or {}
    arguments = generic.get("kwargs", {})
    column = f"`{arguments.get('column_name')}`"
    match generic.get("name"):
        case "unique_key":
            return f"No two rows have the same {', '.join(f'`{name}`' for name in arguments['columns'])}."
        case "unique":
            return f"No two rows have the same {column}."
        case "not_null":
            return f"Each row has a value of {column}."
        case "accepted_values":
            return f"{column} is one of {', '.join(map(str, arguments['values']))}."
        case "relationships":
            return f"Each {column} is a `{arguments['field']}` of {arguments['to']}."
    return f"The test `{test['name']}` of the dbt project finds no row."


def failed_rows(connection: duckdb.DuckDBPyConnection, results: Iterable[RunResult]) -> dict[str, Found]:
    """Return what each failed test found, without personal values, by the test's id."""
    found: dict[str, Found] = {}
    for result in results:
        node = result.node
        if node.resource_type != NodeType.Test or not result.failures or not node.compiled_code:
            continue
        cursor = connection.execute(f"select * from (\n{node.compiled_code}\n) limit {SHOWN_ROWS}")
        tested = getattr(node, "column_name", None)
        names = [tested if column[0] in TESTED and tested else column[0] for column in cursor.description]
        rows = [
            {name: _shown(node.name, name, value) for name, value in zip(names, row, strict=True)}
            for row in cursor.fetchall()
        ]
        if rows:
            found[node.unique_id] = Found(f"{counted(result.failures, 'row')}. The first: {_values(rows[0])}", rows)
    return found


def check_results(
    context: dg.AssetExecutionContext,
    results: Iterable[RunResult],
    failed: Mapping[str, Found],
    unchanged: Iterable[str],
) -> Iterator[dg.AssetCheckResult]:
    """Yield the outcome of each selected test: failed rows, and a warning or an error as the test declares it.

    unchanged: ids of tests that passed before and whose seeds have not changed since.
    """
    keys = {spec.metadata["dagster_dbt/unique_id"]: spec.key for spec in context.assets_def.check_specs}
    for result in results:
        key = keys.get(result.node.unique_id)
        if key is None or key not in context.selected_asset_check_keys or result.status == "skipped":
            continue
        passed = result.status == "pass"
        found = failed.get(result.node.unique_id)
        if not passed:
            rows = found.sentence if found else str(result.message)
            context.log.warning(f"check {key.name} on {key.asset_key.to_user_string()} did not pass: {rows}")
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=passed,
            severity=dg.AssetCheckSeverity.WARN if result.status == "warn" else dg.AssetCheckSeverity.ERROR,
            description=found.sentence if found else None,
            metadata={
                "status": str(result.status),
                "seconds": round(result.execution_time, 2),
                **({} if result.failures is None else {"dagster_dbt/failed_row_count": result.failures}),
                **({"rows": table(found.rows, "")} if found else {}),
            },
        )
    for key in (keys[test] for test in unchanged if test in keys):
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=True,
            description="The seed is the same as when it passed.",
        )


def _values(row: Mapping[str, object]) -> str:
    if "finding" in row:
        return str(row["finding"])
    return ", ".join(f"{name} {'null' if value is None else value}" for name, value in row.items())


def _shown(test: str, column: str, value: object) -> str | int | float | bool | None:
    if not isinstance(value, str):
        return plain(value)
    if column == "finding" and test in PERSONAL_FINDINGS:
        return "an id of a person: tributary status"
    return "(personal)" if PERSONAL_WORDS & set(column.lower().split("_")) else plain(value)
