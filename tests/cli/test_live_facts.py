"""Live facts of a home: those of the org, of the current file; a wrong file keeps the facts of before."""

from __future__ import annotations

import pytest

from cli.live_facts import live_facts
from ingestion.home import Home
from ingestion.segments import recent
from tests.support.segments import land, page, receipt

FILE = """\
orgs: [{id: north, currency: USD, timezone: Asia/Tokyo}, {id: south, currency: EUR}]
sites: [{id: shop, org: north}]
budgets:
  - {org: north, platform: facebook, monthly: 1234.5}
  - {org: south, platform: meta, monthly: 9, campaign_id: "42"}
"""


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path))
    home = Home.from_environment()
    home.settings.write_text(FILE)
    return home


def test_budgets_follow_the_file_and_its_mistakes_change_nothing(home):
    facts = live_facts(home)
    north = [{"platform": "meta", "campaign_id": None, "monthly_micros": 1_234_500_000}]
    assert facts.budgets("north") == north
    assert facts.budgets("south") == [{"platform": "meta", "campaign_id": "42", "monthly_micros": 9_000_000}]
    assert facts.budgets("west") == []
    home.settings.write_text(FILE + "wrong: [")
    assert facts.budgets("north") == north
    assert {row["value"] for row in facts.settings("north") if row["setting"] == "monthly"} == {"1234.5"}
    home.settings.write_text(FILE.replace("1234.5", "2000"))
    assert facts.budgets("north")[0]["monthly_micros"] == 2_000_000_000
    assert {row["value"] for row in facts.settings("north") if row["setting"] == "monthly"} == {"2000"}


def test_received_events_are_those_of_the_org_in_its_zone(home, monkeypatch):
    monkeypatch.setattr(recent, "HOURS", 24 * 365 * 100)
    land(home, 1, receipt([page(1)], org="north", site="shop"), receipt([page(2)], org="south", site="shop"))
    facts = live_facts(home)
    assert [(f"{row['hour']}", row["events"]) for row in facts.received("north")["hours"]] == [
        ("2026-07-01 09:00:00", 1)
    ]
    assert facts.received("south")["hours"] == []
