"""The drill-down from channels to ads: each level sums to its parent, and the totals are those of the marts."""

from __future__ import annotations

import pytest

from tests.support.questions import Questions, total

FIGURES = ("spend_micros", "conversions", "conversion_value_micros")
ORGS = ("northwind", "nordlicht")


@pytest.fixture(scope="module")
def questions(built):
    asking = Questions(built)
    yield asking
    asking.close()


@pytest.mark.parametrize("org", ORGS)
@pytest.mark.parametrize("view", [{}, {"mode": "accrual"}, {"customers": "new", "model": "last_touch"}], ids=str)
def test_each_level_sums_to_its_parent(questions, org, view):
    depth = 0
    for channel in questions.ask(org, "channels", **view):
        at = {**view, "channel": channel["channel"]}
        platforms = questions.ask(org, "platforms", **at)
        assert_equal([channel], platforms)
        assert_equal([channel], questions.ask(org, "level_kpis", **at))
        campaigns = questions.ask(org, "campaigns", **at)
        assert_equal([channel], campaigns)
        for campaign in campaigns[:3] + campaigns[-1:]:
            at |= {"platform": campaign["platform"], "campaign_id": campaign["campaign_id"]}
            adsets = questions.ask(org, "adsets", **at)
            assert_equal([campaign], adsets)
            assert_equal([campaign], questions.ask(org, "level_trend", **at))
            adset = adsets[0]["adset_id"]
            assert_equal(adsets[:1], questions.ask(org, "ads", **at, adset_id=adset))
            assert_equal(adsets[:1], questions.ask(org, "level_kpis", **at, adset_id=adset))
            depth += len(adsets) > 1
    assert depth > 0


def assert_equal(parents, children):
    assert [total(parents, figure) for figure in FIGURES] == [total(children, figure) for figure in FIGURES]


@pytest.mark.parametrize("org", ORGS)
def test_ad_sets_are_those_of_the_rollups(questions, org):
    expected = questions.sql(
        org,
        "select platform, campaign_id, adset_id, sum(spend_micros), sum(conversions), sum(conversion_value_micros)"
        " from daily_rollups where grain = 'ADSET' and attribution_model = 'linear' and accounting_mode = 'cash'"
        " and conversion_type = 'purchase' group by all",
    )
    found = questions.ask(org, "adsets", model="linear", conversion_type="purchase")
    names = ("platform", "campaign_id", "adset_id", *FIGURES)
    assert len(expected) > 10
    assert {tuple(row[name] for name in names) for row in found} == set(expected)


@pytest.mark.parametrize("org", ORGS)
def test_first_conversions_of_a_campaign_are_those_of_campaign_daily(questions, org):
    expected = questions.sql(
        org,
        "select platform, campaign_id, sum(first_conversions), sum(spend)::decimal(38, 6) from campaign_daily"
        " where conversion_type = 'purchase' group by all having sum(first_conversions) > 1 order by 3 desc limit 3",
    )
    assert expected
    for platform, campaign_id, first_conversions, spend in expected:
        (level,) = questions.ask(org, "level_kpis", platform=platform, campaign_id=campaign_id)
        assert level["first_conversions"] == first_conversions
        assert level["cac_micros"] == (pytest.approx(float(spend / first_conversions) * 1e6, abs=1) if spend else None)


def test_a_window_moves_a_campaign_but_not_its_ad_sets(questions):
    campaigns = [questions.ask("northwind", "campaigns", window=window) for window in (1, 30)]
    adsets = [questions.ask("northwind", "adsets", window=window) for window in (1, 30)]
    assert total(campaigns[0], "conversion_value_micros") == total(campaigns[1], "conversion_value_micros")
    assert campaigns[0] != campaigns[1]
    assert adsets[0] == adsets[1]
