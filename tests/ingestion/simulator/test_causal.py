"""Journeys with known causes: contributions obey identities that hold by construction; a redraw confirms them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ingestion.simulator.causal import BASELINE, Market, write_markets
from ingestion.simulator.scenarios import DIRECT, SCENARIOS, Channel, Scenario

PEOPLE = 4_000
all_scenarios = pytest.mark.parametrize("name", SCENARIOS)


def market(name: str, people: int = PEOPLE, seed: int = 3) -> Market:
    return Market(SCENARIOS[name], people=people, seed=seed)


@all_scenarios
def test_only_channels_that_cause_purchases_contribute(name: str) -> None:
    truth = market(name).truth()
    for channel in SCENARIOS[name].channels:
        if channel.name == DIRECT.name:
            assert channel.name not in truth.lost
        elif channel.lift or channel.starts > 1:
            assert truth.lost[channel.name] > 0
        else:
            assert truth.lost[channel.name] == 0


@all_scenarios
def test_removing_all_channels_leaves_the_baseline(name: str) -> None:
    people = market(name)
    nobody = people.chances([channel.name for channel in SCENARIOS[name].channels])
    assert np.allclose(nobody, people.organic_chance, rtol=0, atol=1e-15)
    assert people.truth().baseline == pytest.approx(people.organic_chance.sum(), rel=1e-12)


@all_scenarios
def test_shares_sum_to_one_and_keep_the_proportions_of_the_losses(name: str) -> None:
    truth = market(name).truth()
    shares = truth.shares()
    assert sum(shares.values()) == pytest.approx(1)
    assert shares[BASELINE] == pytest.approx(truth.baseline / truth.total)
    scale = (1 - shares[BASELINE]) / sum(truth.lost.values())
    assert all(shares[channel] == pytest.approx(lost * scale) for channel, lost in truth.lost.items())


@all_scenarios
def test_a_redraw_without_a_channel_loses_as_many_purchases_as_the_truth_says(name: str) -> None:
    people = market(name, people=100_000)
    truth, bought = people.truth(), np.isfinite(people.purchase_days())
    assert bought.sum() == pytest.approx(truth.total, abs=4 * np.sqrt(truth.total))
    for channel, lost in truth.lost.items():
        without = np.isfinite(people.purchase_days([channel]))
        assert not (without & ~bought).any(), "a person buys because a channel is missing"
        assert bought.sum() - without.sum() == pytest.approx(lost, abs=4 * np.sqrt(lost))


def test_a_single_channel_contributes_everything_above_the_baseline() -> None:
    alone = Scenario("alone", "", (Channel("Email", reach=0.3, lift=0.1), DIRECT))
    truth = Market(alone, people=PEOPLE, seed=1).truth()
    assert truth.lost["Email"] == pytest.approx(truth.total - truth.baseline)


def test_a_channel_that_never_touches_changes_no_contribution() -> None:
    scenario = SCENARIOS["starter"]
    truth = market("starter").truth()
    absent = Market(scenario, people=PEOPLE, seed=3)
    absent.scenario = scenario._replace(
        channels=tuple(channel._replace(reach=0, reach_of_buyers=None) if channel.name == "Email" else channel
                       for channel in scenario.channels)
    )  # fmt: skip
    assert absent.truth().lost["Email"] == 0
    assert absent.truth().total == pytest.approx(truth.total - truth.lost["Email"])


def test_a_started_touch_does_not_happen_without_the_channel_that_starts_it() -> None:
    people = market("starter")
    names = [channel.name for channel in people.scenario.channels]
    video, search = names.index("Paid Video"), names.index("Paid Search")
    usual, without = people.touches(), people.touches(["Paid Video"])
    assert not without[:, :, video].any()
    assert (without <= usual).all()
    started = usual[:, :, search] & ~without[:, :, search]
    assert started.sum() > 100
    seen = np.cumsum(usual[:, :, video], axis=1) - usual[:, :, video]
    assert seen[started].all()


@all_scenarios
def test_files_have_every_touch_until_the_purchase_and_one_purchase_of_a_buyer(name: str, tmp_path: Path) -> None:
    people = market(name)
    write_markets(tmp_path, {"one": people, "two": market(name, seed=4)})
    touches = pl.read_parquet(tmp_path / "interactions" / "causal.parquet")
    conversions = pl.read_parquet(tmp_path / "conversions" / "causal.parquet")
    for table, key in ((touches, "interaction_id"), (conversions, "conversion_id")):
        assert set(table["site_id"]) == {"one", "two"}
        assert not table.select("site_id", key).is_duplicated().any()
    conversions = conversions.filter(pl.col("site_id") == "one")
    touches = touches.filter(pl.col("site_id") == "one").join(conversions, on="customer_id", how="left")
    assert conversions["customer_id"].is_unique().all()
    assert len(conversions) == np.isfinite(people.purchase_days()).sum()
    assert (touches["occurred_at"] <= touches["occurred_at_right"]).all()  # ignores people without a purchase
    assert touches["occurred_at_right"].is_null().sum() > len(touches) / 4
    for channel in SCENARIOS[name].channels:
        assert channel.name in set(touches["channel"])


def test_purchases_arrive_through_brand_search_in_its_share() -> None:
    touches, conversions = market("brand", people=40_000).tables("shop")
    last = touches.sort("occurred_at").group_by("customer_id").last().join(conversions, on="customer_id")
    share = (last["channel"] == "Brand Search").mean()
    (closing,) = (channel.closing for channel in SCENARIOS["brand"].channels if channel.name == "Brand Search")
    assert closing - 0.05 < share < closing + 0.08


def test_the_same_seed_gives_the_same_rows_and_another_seed_gives_others() -> None:
    first, again, other = (market("mixed", seed=seed).tables("shop") for seed in (1, 1, 2))
    assert all(one.equals(two) for one, two in zip(first, again, strict=True))
    assert not any(one.equals(two) for one, two in zip(first, other, strict=True))


def test_lifts_order_the_contributions() -> None:
    lost = market("lift", people=40_000).truth().lost
    assert all(more > less for more, less in pairwise(lost.values()))
