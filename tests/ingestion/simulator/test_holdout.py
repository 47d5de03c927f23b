"""Holdout experiments of the simulator: multipliers without bias, and with the error of a real experiment."""

from __future__ import annotations

import numpy as np
import pytest

from ingestion.simulator.causal import Market
from ingestion.simulator.holdout import credited_touches, measured_multipliers
from ingestion.simulator.scenarios import SCENARIOS


@pytest.mark.parametrize("name", ["retarget", "brand", "starter"])
def test_a_large_experiment_measures_the_true_losses(name: str) -> None:
    market = Market(SCENARIOS[name], people=200_000, seed=5)
    touches, truth = credited_touches(market), market.truth()
    credit = {
        channel: float(touches.filter(touches["channel"] == channel)["credit"].sum())
        for channel in market.scenario.marketing
    }
    measured = measured_multipliers(market)
    assert set(measured) == set(market.scenario.marketing)
    for channel, multiplier in measured.items():
        error = np.sqrt(truth.total) / (credit[channel] / 2)  # of the difference between two halves
        assert multiplier == pytest.approx(truth.lost[channel] / credit[channel], abs=3 * error)
        assert error < 0.2


def test_all_purchases_have_linear_credit_if_they_have_a_touch() -> None:
    market = Market(SCENARIOS["brand"], people=5_000, seed=5)
    touches = credited_touches(market)
    assert touches["credit"].sum() == pytest.approx(touches["person"].n_unique())
    assert np.isfinite(market.purchase_days())[touches["person"]].all()


def test_small_experiments_differ_and_are_never_negative() -> None:
    found = [
        measured_multipliers(Market(SCENARIOS["lift"], people=2_000, seed=seed))["Affiliates"] for seed in range(6)
    ]
    assert min(found) >= 0
    assert np.std(found) > 0.1
