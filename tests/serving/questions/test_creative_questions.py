"""Creatives: their sums are those of the key figures under every filter; names, search and links of planted ads."""

from __future__ import annotations

import pytest

from serving.formats import marked
from tests.support.home import copy_home, published
from tests.support.questions import answer, plant

PERIOD = {"from_": "2026-07-02", "to": "2026-07-13"}


@pytest.mark.parametrize(
    "filters", [{}, {"mode": "accrual"}, {"customers": "new"}, {"mode": "accrual", "customers": "returning"}]
)
@pytest.mark.parametrize("model", ["linear", "last_non_direct"])
def test_ads_sum_to_the_key_figures(built, filters, model):
    ads = answer(built, "northwind", "creatives", model=model, **filters, **PERIOD)
    with published(built, "northwind") as marts:
        spend, clicks = marts.execute(
            "select sum(spend_micros), sum(clicks) from rollup_spend where grain = 'ORGANIZATION' and date between"
            " '2026-07-02' and '2026-07-13'"
        ).fetchone()
        date = "touch_date" if filters.get("mode") == "accrual" else "conversion_date"
        customers = {"new": "is_first_conversion", "returning": "not is_first_conversion"}
        (value,) = marts.execute(
            f"select sum({model}_value_micros) from conversion_touches join conversions using (org_id, conversion_id)"
            f" where {date} between '2026-07-02' and '2026-07-13' and platform not like '(%'"
            f" and {customers.get(filters.get('customers'), 'true')}"
        ).fetchone()
    assert sum(ad["spend_micros"] for ad in ads) == spend > 0
    assert sum(ad["clicks"] for ad in ads) == clicks
    assert sum(ad["conversion_value_micros"] for ad in ads) == value > 0
    assert [ad["spend_micros"] for ad in ads] == sorted((ad["spend_micros"] for ad in ads), reverse=True)
    if not filters:
        (kpis,) = answer(built, "northwind", "kpis", model=model, **PERIOD)
        assert kpis["spend_micros"] == spend
        assert kpis["roas"] == pytest.approx(value / spend)


def test_an_ad_has_the_page_of_its_current_state_and_is_found_by_it(built, tmp_path):
    home = copy_home(built, tmp_path / "home")
    ad = next(row for row in answer(home, "northwind", "creatives") if row["ad_id"] != "(unmatched)")
    state = {"platform": ad["platform"], "account_id": "1", "valid_from": "2026-07-01"}
    plant(
        home,
        "northwind",
        "ad_entities",
        state | {"level": "ad", "entity_id": ad["ad_id"], "creative_id": "c", "is_current": True},
        state
        | {"level": "creative", "entity_id": "c", "destination_url": "https://x.example/old", "is_current": False},
        state | {"level": "creative", "entity_id": "c", "destination_url": "https://x.example/New", "is_current": True},
    )
    (found,) = answer(home, "northwind", "creatives", search="X.EXAMPLE/new")
    assert found == ad | {"destination_url": "https://x.example/New"}
    assert answer(home, "northwind", "creatives", search="x.%/new") == []  # it is no pattern


def test_only_web_addresses_become_links():
    assert str(marked("https://www.x.example/a?b=1&c", "url")) == (
        '<a href="https://www.x.example/a?b=1&amp;c" rel="noopener noreferrer nofollow"'
        ' title="https://www.x.example/a?b=1&amp;c">x.example/a</a>'
    )
    for text in ("javascript:alert(1)", "//x.example", "app://x", "http://[", "data:text/html,<b>"):
        assert "<" not in str(marked(text, "url"))
