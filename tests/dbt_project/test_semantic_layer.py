"""The metrics of semantic_layer.yml, computed from their definitions, are the figures of the marts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.home import published

DIMENSION = re.compile(r"\{\{ *Dimension\('campaign_day__(\w+)'\) *\}\}")


@pytest.fixture(scope="module")
def manifest(built: Path) -> dict[str, Any]:
    """The semantic layer as dbt parsed it."""
    return json.loads((built / "dbt" / "semantic_manifest.json").read_text())


def metric_sql(manifest: dict[str, Any], name: str) -> str:
    """The SQL of a metric, from its type, the aggregation of its measure and its filter."""
    (metric,) = [each for each in manifest["metrics"] if each["name"] == name]
    parameters = metric["type_params"]
    if metric["type"] == "ratio":
        above, below = (metric_sql(manifest, parameters[part]["name"]) for part in ("numerator", "denominator"))
        return f"{above} / nullif({below}, 0)"
    assert metric["type"] == "simple"
    (model,) = manifest["semantic_models"]
    (measure,) = [each for each in model["measures"] if each["name"] == parameters["measure"]["name"]]
    templates = [each["where_sql_template"] for each in (metric["filter"] or {"where_filters": []})["where_filters"]]
    filters = [DIMENSION.sub(r"\1", template) for template in templates]
    assert measure["agg"] == "sum"
    return f"sum({measure['expr'] or measure['name']}) filter (where {' and '.join(filters) or 'true'})"


def test_metrics_equal_the_marts(manifest: dict[str, Any], built: Path) -> None:
    names = ["spend", "revenue", "conversions", "roas", "cpa", "cac", "mer"]
    metrics = ", ".join(f"{metric_sql(manifest, name)} as {name}" for name in names)
    with published(built) as marts:
        by_platform = marts.execute(f"select org_id, platform, {metrics} from campaign_daily group by all").fetchall()
        expected = marts.execute("""
            select org_id, platform, sum(spend), sum(conversion_value), sum(conversions),
                sum(conversion_value) / nullif(sum(spend), 0), sum(spend) / nullif(sum(conversions), 0),
                sum(spend) / nullif(sum(first_conversions), 0), sum(conversion_value) / nullif(sum(spend), 0)
            from platform_daily where platform not in ('(organic)', '(unattributed)') group by all
        """).fetchall()
        assert expected
        assert {row for row in by_platform if not row[1].startswith(("(org", "(unatt"))} == set(expected)

        by_org = marts.execute(f"select org_id, {metrics} from campaign_daily group by all order by 1").fetchall()
        expected = marts.execute("""
            with
            spent as (
                select org_id, sum(spend_micros) / 1e6 as spend from rollup_spend where grain = 'AD' group by org_id
            ),
            booked as (
                select org_id, sum(value_micros) / 1e6 as revenue, count(*) as conversions
                from conversions where conversion_type = 'purchase' group by org_id
            )
            select org_id, spend, revenue, conversions, revenue / spend from booked join spent using (org_id) order by 1
        """).fetchall()
        for (org, spend, revenue, conversions, *_, mer), row in zip(by_org, expected, strict=True):
            assert (org, float(spend), float(revenue), int(conversions)) == pytest.approx(row[:4])
            assert mer == pytest.approx(row[4])
