"""Data quality: coverage counted by hand, money in its own currency, summed checks, the set-up list."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.support.home import copy_home, published
from tests.support.questions import answer, plant

PERIOD = {"from_": "2026-07-04", "to": "2026-07-10"}


def test_coverage_is_the_share_of_touches_in_the_days_of_the_org(built):
    with published(built, "northwind") as marts:
        touches = marts.execute(
            "select occurred_at, channel, campaign_id, campaign_match, click_id, campaign from touchpoints"
        ).fetchall()
    zone = ZoneInfo("America/New_York")
    days = [(str((moment.replace(tzinfo=ZoneInfo("UTC"))).astimezone(zone).date()), *rest) for moment, *rest in touches]
    in_period = [rest for day, *rest in days if "2026-07-04" <= day <= "2026-07-10"]
    assert 0 < len(in_period) < len(touches)
    paid = [row for row in in_period if row[0].startswith("Paid") or row[0] in ("Display", "Affiliates")]
    (coverage,) = answer(built, "northwind", "coverage", **PERIOD)
    matched = [row for row in paid if row[1] is not None and row[2] not in ("declared", "none")]
    assert coverage["matched_share"] == pytest.approx(len(matched) / len(paid))
    assert coverage["click_id_share"] == pytest.approx(sum(row[3] is not None for row in paid) / len(paid))
    for row in answer(built, "northwind", "coverage_by_channel", **PERIOD):
        of_channel = [other for other in in_period if other[0] == row["channel"]]
        assert row["touches"] == len(of_channel)
        assert row["utm_share"] == pytest.approx(sum(other[4] is not None for other in of_channel) / len(of_channel))


def test_money_keeps_its_currency(built, tmp_path):
    home = copy_home(built, tmp_path / "home")
    refund = {"source": "refunds", "date": "2026-07-05", "reason": "unknown_currency", "currency": "JPY"}
    row = {"reason": "unknown_currency", "row_count": 2, "amount": Decimal("0.300003"), "currency": "JPY"}
    plant(
        home,
        "northwind",
        "quarantine",
        refund | {"source_id": "a", "amount_micros": 100_001},
        refund | {"source_id": "b", "amount_micros": 200_002},
    )
    rows = answer(home, "northwind", "quarantine", **PERIOD)
    found = next(other for other in rows if other["currency"] == "JPY")
    assert {name: found[name] for name in row} == row | {"reason": "unknown currency"}
    assert all(other["meaning"] for other in rows)
    check = {
        "check_name": "two_grains",
        "location": "x",
        "importance": 1,
        "row_count": 1,
        "finding": "f",
        "action": "a",
    }
    plant(home, "northwind", "input_checks", check | {"amount_micros": 9_000_001, "currency": "EUR"})
    found = next(other for other in answer(home, "northwind", "input_checks") if other["check_name"] == "two_grains")
    assert (found["amount"], found["currency"]) == (Decimal("9.000001"), "EUR")


def test_a_published_version_keeps_all_promises(built):
    rows = answer(built, "northwind", "promises")
    with published(built, "northwind") as marts:
        assert marts.execute("select count(*) from promises").fetchone() == (sum(row["checks"] for row in rows),)
    assert len(rows) == 3
    assert all(row["kept"] == row["checks"] for row in rows)


def test_the_set_up_is_done_where_there_is_data_and_tells_what_to_do_elsewhere(built):
    assert [row["is_done"] for row in answer(built, "northwind", "setup")] == [True] * 4
    empty = answer(built, "default", "setup")
    assert [row["is_done"] for row in empty] == [False] * 4
    assert all(row["remedy"] and row["evidence"] is None for row in empty)


def test_spend_that_does_not_reconcile_shows_its_residual(built, tmp_path):
    home = copy_home(built, tmp_path / "home")
    figures = ("impressions", "clicks", "video_views", "platform_conversions", "platform_value_micros")
    zeros = {f"{part}_{figure}": 0 for part in ("children", "residual") for figure in figures}
    total = {"platform": "meta", "account_id": "1", "level": "account", "currency": "EUR", **zeros}
    plant(
        home,
        "northwind",
        "spend_reconciliation",
        *(
            total
            | {"date": f"2026-07-{day:02}", "reported_spend_micros": 10_000_000, "is_reconciled": residual == 0}
            | {"children_spend_micros": 10_000_000 - residual, "residual_spend_micros": residual}
            for day, residual in ((3, 7_000_000), (4, 0), (5, 500_000))
        ),
    )
    (row,) = answer(home, "northwind", "spend_residuals", **PERIOD)
    assert (row["days"], row["different_days"], row["residual_spend"]) == (2, 1, Decimal("0.5"))
    assert row["residual_share"] == pytest.approx(0.025)
