"""Failed tests name the value that failed, unless it can identify a person."""

from __future__ import annotations

from types import SimpleNamespace

import duckdb
import pytest

from orchestration.checks import failed_rows


def found(sql: str, **node: str):
    test = SimpleNamespace(resource_type="test", unique_id="t", compiled_code=sql, **{"name": "test", **node})
    with duckdb.connect() as connection:
        return failed_rows(connection, [SimpleNamespace(node=test, failures=7)])["t"]


def test_a_failed_test_names_the_first_value_and_shows_five_rows():
    keys = found("select 'meta' as platform, null as ad_id, n as row_count from range(2, 9) as numbers (n) -- comment")
    assert keys.sentence == "7 rows. The first: platform meta, ad_id null, row_count 2"
    assert [row["row_count"] for row in keys.rows] == [2, 3, 4, 5, 6]
    unique = found("select 'meta' as unique_field, 2 as n_records", column_name="platform")
    assert unique.sentence == "7 rows. The first: platform meta, n_records 2"
    finding = found("select 'shop' as org_id, '3 refunds match no order' as finding", name="no_refund_without_order")
    assert finding.sentence == "7 rows. The first: 3 refunds match no order"


@pytest.mark.parametrize("column", ["customer_id", "email_hash", "order_id", "page_url", "visitor_id", "touchpoint_id"])
def test_a_personal_value_is_not_shown(column):
    assert found(f"select 'anna' as {column}, 2 as order_count").rows == [{column: "(personal)", "order_count": 2}]
    assert "anna" not in str(found("select 'anna' as unique_field", column_name=column))
    assert "anna" not in str(found("select 'anna joins 40 visitors' as finding", name="no_shared_id"))
