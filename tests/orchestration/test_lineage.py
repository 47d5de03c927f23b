"""Column lineage is traced when SQL or columns change, and kept otherwise."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from orchestration import lineage
from orchestration.lineage import column_lineage

ORDERS, TOTALS = dg.AssetKey(["marts", "orders"]), dg.AssetKey(["marts", "totals"])
MODELS = {
    ORDERS: 'with rows as (select * from "warehouse"."raw"."orders") select id, price * count as value from rows',
    TOTALS: 'select sum(value) as value from "warehouse"."marts"."orders"',
}
COLUMNS = {
    "raw": {"orders": {"id": "VARCHAR", "price": "BIGINT", "count": "BIGINT"}},
    "marts": {"orders": {"id": "VARCHAR", "value": "BIGINT"}},
}


@pytest.fixture
def traced(monkeypatch) -> list[str]:
    """The SQL that was traced."""
    found: list[str] = []
    trace = lineage.trace
    monkeypatch.setattr(lineage, "trace", lambda sql, schema: found.append(sql) or trace(sql, schema))
    return found


def found(models: dict[dg.AssetKey, str], kept: Path, columns: dict = COLUMNS) -> dict[dg.AssetKey, dict]:
    """Return the origins of each column as (table, column)."""
    lineages = column_lineage(models, columns, kept, pytest.fail)
    return {
        key: {
            column: [("/".join(dep.asset_key.path), dep.column_name) for dep in deps]
            for column, deps in one.deps_by_column.items()
        }
        for key, one in lineages.items()
    }


EXPECTED = {
    ORDERS: {"id": [("raw/orders", "id")], "value": [("raw/orders", "count"), ("raw/orders", "price")]},
    TOTALS: {"value": [("marts/orders", "value")]},
}


def test_lineage_is_kept_until_sql_or_parent_columns_change(tmp_path, traced):
    kept = tmp_path / "lineage.json"
    assert found(MODELS, kept) == EXPECTED
    assert len(traced) == 2
    assert found(MODELS, kept) == EXPECTED
    assert len(traced) == 2
    changed = MODELS | {TOTALS: 'select max(value) as value, id from "warehouse"."marts"."orders" group by all'}
    assert found(changed, kept)[TOTALS] == {"value": [("marts/orders", "value")], "id": [("marts/orders", "id")]}
    assert traced[2:] == [changed[TOTALS]]
    columns = {**COLUMNS, "raw": {"orders": {"id": "BIGINT", "price": "BIGINT", "count": "BIGINT"}}}
    found(changed, kept, columns)
    assert traced[3:] == [changed[ORDERS]]


def test_a_run_of_a_part_keeps_the_lineage_of_the_rest(tmp_path, traced):
    kept = tmp_path / "lineage.json"
    found(MODELS, kept)
    found({ORDERS: MODELS[ORDERS] + " limit 1"}, kept)
    assert found({TOTALS: MODELS[TOTALS]}, kept) == {TOTALS: EXPECTED[TOTALS]}
    assert len(traced) == 3


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"marts/orders": {"digest": 1, "origins": {}}}'])
def test_a_damaged_file_is_replaced(tmp_path, traced, damage):
    kept = tmp_path / "lineage.json"
    kept.write_bytes(damage)
    assert found(MODELS, kept) == EXPECTED
    assert found(MODELS, kept) == EXPECTED
    assert len(traced) == 2


def test_sql_beyond_the_parser_is_a_warning_and_stops_no_other_model(tmp_path):
    warnings: list[str] = []
    broken = dg.AssetKey(["marts", "broken"])
    lineages = column_lineage({broken: "select ((", **MODELS}, COLUMNS, tmp_path / "lineage.json", warnings.append)
    assert set(lineages) == set(MODELS)
    assert [warning.split(":")[0] for warning in warnings] == ["no column lineage of marts/broken"]
