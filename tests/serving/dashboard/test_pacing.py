"""Pacing: budgets joined with the spend of the month, for platforms and campaigns."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest

from serving.dashboard.pacing import pace, pace_table, spend_chart
from serving.dashboard.view import View
from serving.filters import parse
from serving.orgs import OrgFiles
from serving.service import LiveFacts, Service
from tests.support.home import published


def budget(platform: str, monthly: int, campaign_id: str | None = None) -> dict[str, object]:
    return {"platform": platform, "campaign_id": campaign_id, "monthly_micros": monthly * 1_000_000}


@pytest.fixture
def view_of(built):
    files = OrgFiles(built / "published")

    def view(budgets: list[dict[str, object]], **query: str) -> View:
        live = LiveFacts(lambda org: {}, lambda org: [], lambda org: budgets if org == "northwind" else [])
        service = Service(built, files, SimpleNamespace(), live)
        service.load()
        with files.pinned("northwind") as version:
            return View(service, version, parse(query, version.facts, is_strict=True), None, "/pacing", query)

    yield view
    files.close()


def test_the_pace_is_the_spend_of_the_month_against_the_share_of_the_budget(built, view_of):
    with published(built, "northwind") as marts:
        spent = dict(
            marts.execute(
                "select platform, sum(spend_micros) from channel_spend where date between '2026-07-01' and '2026-07-10'"
                " group by all having sum(spend_micros) > 0"
            ).fetchall()
        )
        campaign, of_campaign, name = marts.execute(
            "select campaign_id, sum(spend_micros), (select max(campaign) from campaigns where campaigns.campaign_id ="
            " channel_spend.campaign_id) from channel_spend where platform = 'google' and date <= '2026-07-10'"
            " group by all order by 2 desc limit 1"
        ).fetchone()
    budgets = [budget("google", 3100), budget("pinterest", 310), budget("google", 62, campaign)]
    view = view_of(budgets, to="2026-07-10")
    rows = {(row["platform"], row["campaign"]): row for row in pace_table(view).records()}
    whole = rows["google", "all"]
    assert (whole["spent_micros"], whole["expected_micros"]) == (spent["google"], 1_000_000_000)
    assert whole["pace"] == pytest.approx(spent["google"] / 1e9)
    assert whole["daily_micros"] == round((3_100_000_000 - spent["google"]) / 21)
    assert rows["google", name]["spent_micros"] == of_campaign
    assert rows["pinterest", "all"]["spent_micros"] == 0
    assert "no spend" in rows["pinterest", "all"]["reading"]
    others = {key[0] for key in rows} - {"google", "pinterest"}
    assert others == set(spent) - {"google"}
    assert all(rows[platform, "all"]["budget_micros"] is None for platform in others)


def test_the_chart_has_the_daily_share_of_the_budgets_of_its_platforms(view_of):
    budgets = [budget("google", 3100), budget("meta", 620), budget("google", 31, "42")]
    assert "layer" not in spend_chart(view_of([]))
    line = spend_chart(view_of(budgets, to="2026-07-10"))["layer"][1]
    assert line["data"]["values"] == [{"amount": pytest.approx(120)}]
    line = spend_chart(view_of(budgets, to="2026-07-10", platform="meta"))["layer"][1]
    assert line["data"]["values"] == [{"amount": pytest.approx(20)}]


def test_the_outlook_warns_only_if_the_interval_lies_beyond_the_budget():
    spend = {date(2026, month, day): 10_000_000 for month, days in ((6, 30), (7, 15)) for day in range(1, days + 1)}

    def outlook(units: int) -> str:
        return pace("meta", None, spend, units * 1_000_000, date(2026, 7, 15), currency="USD").reading or ""

    assert outlook(100) == "It is $50.00 above the budget."
    assert outlook(300).startswith("It will probably exceed the budget by $10.00.")
    assert outlook(310) == "It is on plan."
    assert outlook(400).startswith("It will probably leave $90.00 unspent.")
    done = pace("meta", None, spend, 400_000_000, date(2026, 6, 30), currency="USD")
    assert (done.reading, done.forecast_micros, done.daily_micros) == ("It ended $100.00 below the budget.", None, None)
