"""Compute the examples of docs/waste.md from the table of campaigns there."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from serving.explain.waste import trend_table
from serving.published import Record, records
from tests.support.home import ROOT
from tests.support.models import Project, import_files, load_raw_tables

PAGE = ROOT / "docs" / "waste.md"
LAST_DAY = date(2026, 6, 30)
CHANNELS = {"google": "Paid Search", "meta": "Paid Social"}
SETTINGS = "orgs: [{id: shop, currency: USD, timezone: UTC, lookback_days: 30, targets: {cpa: 50, roas: 2}}]\n"


def tables(page: Path) -> Iterator[list[Record]]:
    """Yield each Markdown table of the page, a dictionary a row."""
    rows: list[list[str]] = []
    for line in [*page.read_text().splitlines(), ""]:
        if line.startswith("| "):
            rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
        elif rows:
            yield [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]
            rows = []


@pytest.fixture(scope="module")
def marts(new_home: Callable[[str], Path], project: Project, tmp_path_factory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return the warehouse of the page's first table. Conversions are spread evenly over the days of their row."""
    home, folder = new_home("waste"), tmp_path_factory.mktemp("files")
    (home / "tributary.yaml").write_text(SETTINGS)
    spend, touches, orders = [], [], []
    for row in next(tables(PAGE)):
        first, last = (int(week) for week in row["weeks"].split(" to "))
        days, conversions = 7 * (first - last + 1), int(row["conversions"])
        start = LAST_DAY - timedelta(7 * first - 1)
        ids = {"platform": row["platform"], "campaign_id": row["campaign"].lower()}
        for day in range(days):
            named = {**ids, "campaign": row["campaign"], "account_id": row["account"], "currency": "USD"}
            spend.append({**named, "date": start + timedelta(day), "spend": row["spend a day"]})
        for order in range(conversions):
            at = datetime.combine(start, datetime.min.time()) + timedelta((order + 0.5) * days / conversions)
            who = {"visitor_id": f"v{len(orders)}", "occurred_at": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
            touches.append({**who, **ids, "touch_type": "click", "channel": CHANNELS[row["platform"]]})
            orders.append({**who, "value": row["value of each"], "currency": "USD"})
    load_raw_tables(home)
    for kind, rows in (("spend", spend), ("interactions", touches), ("conversions", orders)):
        with (folder / f"{kind}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        import_files(home, kind, folder / f"{kind}.csv", org="shop")
    project.build_models(home, "waste_flags")
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        yield connection


def test_every_example_of_the_page_is_computed(marts):
    flags = {
        flag["campaign"]: {**flag, "currency": "USD"}
        for flag in records(
            marts.execute("from marts.waste_flags where attribution_model = 'linear' and grain = 'CAMPAIGN'")
        )
    }
    kinds = {row["campaign_id"]: row for row in records(marts.execute("from intermediate.int_campaign_kinds"))}
    wrong, examples = [], 0
    for table in list(tables(PAGE))[1:]:
        for row in table:
            if "campaign" not in row:
                continue
            examples += 1
            flag, kind = flags.get(row["campaign"]), kinds[row["campaign"].lower()]
            found = {**row, **{name: kind[name] for name in ("market", "kind") if name in row}}
            if "flag" in row:
                found["flag"] = f"{flag['reason']}, {flag['severity']}" if flag else "none"
            if "recommendation" in row:
                found["recommendation"] = flag["recommendation"]
            if "columns" in row:
                weeks = trend_table(flag, json.loads(flag["explanation"])["trend"])
                found["columns"] = ", ".join(str(column.header) for column in weeks.columns)
                assert weeks.row_count == 13
            wrong += [(row, found)] if row != found else []
    assert wrong == []
    assert examples == 14
    assert set(flags) == {
        "Search - Sandals",
        "Search - Competitors",
        "Search - Tents",
        "Search - Socks",
        "Boots - UK",
        "Interests",
    }


def test_no_recommendation_waits_and_cuts(marts):
    """A low flag changes neither bids nor budget, and every other flag acts without a condition."""
    sentences = marts.execute("select severity, recommendation from seeds.waste_reasons").fetchall()
    phrases = marts.execute("select phrase from seeds.waste_phrases").fetchall()
    for severity, sentence in [*sentences, *(("high", phrase) for (phrase,) in phrases)]:
        words = sentence.lower()
        assert not any(word in words for word in ("week", "wait", "watch"))
        if severity == "low":
            assert not any(word in words for word in ("cut", "lower", "halve", "move"))
        else:
            assert " if the next" not in words
