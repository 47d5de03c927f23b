"""docs/attribution-models.md: the example, worked by hand there, equals the credit of a built home."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingestion.attribution_models import built_in_models
from tests.support.home import ROOT, published
from tests.support.models import import_files

DOC = (ROOT / "docs" / "attribution-models.md").read_text()
BOUGHT_AT = datetime(2026, 8, 31, 12, tzinfo=UTC)
DAYS = {"Display": 14, "Email": 7, "Paid Search": 0}  # before the purchase
SETTINGS = """\
orgs:
  - {id: shop, currency: EUR}
conversion_definitions:
  - {org: shop, name: purchase, conversion_types: [purchase]}
experiments:
  - {org: shop, channel: Paid Search, multiplier: 0.5, from: "2026-07-01", to: "2026-09-30"}
"""


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table of the document that begins with this heading."""
    lines = DOC[DOC.index(f"| {heading} |") :].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]


@pytest.fixture(scope="module")
def home(new_home, project, tmp_path_factory) -> Path:
    home = new_home("models_doc")
    (home / "tributary.yaml").write_text(SETTINGS)
    folder = tmp_path_factory.mktemp("input")
    touches, orders = folder / "touches.csv", folder / "orders.csv"
    with touches.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["interaction_id", "occurred_at", "customer_id", "touch_type", "channel"])
        for person, journey, _ in table("person"):
            for channel in journey.split(" > "):
                at = BOUGHT_AT - timedelta(days=DAYS[channel])
                rows.writerow([f"{person} {channel}", at.isoformat(), person, "click", channel])
    with orders.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["conversion_id", "occurred_at", "customer_id", "value", "conversion_type"])
        rows.writerows(
            [person, BOUGHT_AT.isoformat(), person, 100, "purchase"]
            for person, _, does in table("person")
            if does == "yes"
        )
        lead_at = BOUGHT_AT - timedelta(days=13, hours=20)
        rows.writerow(["lead", lead_at.isoformat(), "ann", "", "lead"])
    import_files(home, "interactions", touches, org="shop")
    import_files(home, "conversions", orders, org="shop")
    project.build_home(home)
    return home


def test_the_worked_example_is_right(home):
    with published(home) as connection:
        rows = connection.execute("""
            select attribution_model, channel, attributed_value_micros / 1e6
            from attribution_links join conversion_touches using (org_id, conversion_id, touchpoint_id)
            where attribution_links.conversion_id = 'ann'
        """).fetchall()
    found = {(model, channel): value for model, channel, value in rows}
    described = {row[0]: [float(cell) for cell in row[1:]] for row in table("model")}
    assert described == {
        model: [round(found.get((model, channel), 0), 2) for channel in DAYS] for model in built_in_models()
    }


def test_every_model_has_a_rule():
    headings = ", ".join(re.findall(r"^### (.*)", DOC, re.M)).split(", ")
    assert headings == list(built_in_models())


def test_effects_and_values_are_those_of_the_example(home):
    with published(home) as connection:
        rows = connection.execute(
            "select attribution_model, channel, effect, markov_order from channel_effects order by all"
        ).fetchall()
    assert [row[:2] for row in rows] == [(model, channel) for model in ("data_driven", "shapley") for channel in DAYS]
    assert [row[2] for row in rows] == pytest.approx([3 / 8, 1 / 4, 1, 1 / 18, -1 / 36, 17 / 36], abs=1e-12)
    assert {row[3] for row in rows} == {1, None}
