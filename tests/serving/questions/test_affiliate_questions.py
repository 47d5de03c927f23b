"""Affiliates and suspicious touches of planted rows: sums by status, days of the org's zone, credit at stake."""

from __future__ import annotations

import pytest

from tests.support.home import copy_home, published
from tests.support.questions import answer, plant


@pytest.fixture
def home(built, tmp_path):
    return copy_home(built, tmp_path / "home")


def test_transactions_are_summed_by_affiliate_and_status(home):
    def transaction(number: int, status: str, day: int, payout: int, **more: object) -> dict[str, object]:
        date = f"2026-07-{day:02}"
        row = {"platform": "awin", "transaction_id": f"t{number}", "status": status, "occurred_at": date, "date": date}
        row |= {"payout_micros": payout, "value_micros": payout * 10, "original_currency": "USD", "postbacks": 1}
        return row | {"affiliate_id": "7"} | more

    plant(
        home,
        "northwind",
        "affiliate_transactions",
        transaction(1, "approved", 2, 5_000_000, conversion_id="c", affiliate="Coupons"),
        transaction(2, "approved", 12, 3_000_000),
        transaction(3, "rejected", 5, 1_000_000),
        transaction(4, "approved", 20, 9_000_000),  # after the period
    )
    rows = answer(home, "northwind", "affiliate_transactions", from_="2026-07-02", to="2026-07-12")
    picked = ("affiliate", "status", "transactions", "payout_micros", "value_micros", "matched_orders", "matched_share")
    assert [tuple(row[name] for name in picked) for row in rows] == [
        ("Coupons", "approved", 2, 8_000_000, 80_000_000, 1, 0.5),
        ("7", "rejected", 1, 1_000_000, 10_000_000, 0, 0),
    ]


def test_affiliates_have_the_credit_and_spend_of_their_channel(home):
    of_campaign = {"date": "2026-07-05", "channel": "Affiliates", "platform": "everflow", "campaign_id": "204"}
    view = {"conversion_type": "purchase", "attribution_model": "linear", "lookback_days": 30}
    plant(home, "northwind", "channel_credit", of_campaign | view | {"conversions": 2, "conversion_value_micros": 90})
    plant(home, "northwind", "channel_spend", of_campaign | {"impressions": 0, "clicks": 4, "spend_micros": 30})
    (row,) = answer(home, "northwind", "affiliate_credit", model="linear")
    channels = answer(home, "northwind", "channels", model="linear")
    channel = next(other for other in channels if other["channel"] == "Affiliates")
    names = ("spend_micros", "conversions", "conversion_value_micros", "roas", "cpa_micros")
    assert [row[name] for name in names] == [channel[name] for name in names]
    assert (row["spend_micros"], row["roas"]) == (30, 3)


def test_suspicious_touches_have_their_evidence_and_the_credit_at_stake(home):
    with published(home, "northwind") as marts:
        touch, value = marts.execute(
            "select touchpoint_id, sum(last_touch_value_micros) from conversion_touches group by all order by 2 desc, 1"
        ).fetchone()
    touches = [
        # 03:30 UTC is still the day before in New York.
        {"touchpoint_id": touch, "reason": "data_centre", "occurred_at": "2026-07-06 03:30", "is_excluded": False},
        {"touchpoint_id": "x", "reason": "data_centre", "occurred_at": "2026-07-05 04:00", "is_excluded": True},
        {"touchpoint_id": "early", "reason": "bot", "occurred_at": "2026-07-05 03:59", "is_excluded": True},
        {"touchpoint_id": "late", "reason": "bot", "occurred_at": "2026-07-06 04:00", "is_excluded": True},
    ]
    evidence = {"evidence": '{"seconds_before_conversion": 2, "country": "US"}'}
    plant(home, "northwind", "suspicious_touches", *(row | evidence for row in touches))
    day = {"from_": "2026-07-05", "to": "2026-07-05", "model": "last_touch"}
    (reason,) = answer(home, "northwind", "suspicious_reasons", **day)
    assert (reason["reason"], reason["touches"], reason["excluded_touches"]) == ("data centre", 2, 1)
    assert reason["conversion_value_micros"] == value > 0
    assert reason["meaning"]
    rows = answer(home, "northwind", "suspicious_touches", **day)
    assert [(row["touchpoint_id"], row["counts"]) for row in rows] == [(touch, "yes"), ("x", "no, excluded")]
    assert rows[0]["evidence"] == "seconds before conversion: 2, country: US"
