"""The fitted half-life: recovery from simulated journeys, its interval, and data that is too little."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from attribution.half_life import CHI2_95, HalfLife, NotEnoughData, fit_half_life
from tests.support.half_life import WINDOW, simulated


@pytest.mark.parametrize("half_life", [1.0, 7.0, 20.0])
def test_a_known_half_life_is_recovered_and_covered(half_life):
    fits = [fit_half_life(**simulated(seed, half_life)) for seed in range(6)]
    assert np.median([fit.days for fit in fits]) == pytest.approx(half_life, rel=0.06)
    assert sum(fit.low <= half_life <= fit.high for fit in fits) >= 5
    for fit in fits:
        assert fit.low < fit.days < fit.high < 1.5 * fit.low
        assert fit.touch_rate == pytest.approx(0.02, rel=0.25)


def with_converting_visits(journeys: dict, seed: int) -> dict:
    """Return the journeys with the touch of the visit that converts, up to half an hour before each conversion."""
    generator, starts = np.random.default_rng(seed), np.cumsum([0, *journeys["lengths"]])
    parts = [journeys["ages"][start:end] for start, end in pairwise(starts)]
    last = generator.uniform(1, 30, len(parts)) / 1440
    ages = [
        [*part, age] if converted else part
        for part, age, converted in zip(parts, last, journeys["conversions"], strict=True)
    ]
    return {**journeys, "lengths": [len(part) for part in ages], "ages": np.concatenate(ages)}


@pytest.mark.parametrize("half_life", [3.0, 7.0, 20.0])
def test_a_known_half_life_is_recovered_behind_the_visits_that_convert(half_life):
    journeys = [with_converting_visits(simulated(seed, half_life), seed) for seed in range(6)]
    with pytest.raises(NotEnoughData, match="later than 1 h after a touch"):
        fit_half_life(**journeys[0])
    fits = [fit_half_life(**each, ignored_days=0.5) for each in journeys]
    assert np.median([fit.days for fit in fits]) == pytest.approx(half_life, rel=0.1)
    assert sum(fit.low <= half_life <= fit.high for fit in fits) >= 5
    for fit in fits:
        assert fit.touch_rate == pytest.approx(0.02, rel=0.3)


def test_ignored_touches_are_not_counted():
    with pytest.raises(NotEnoughData, match="50 converting journeys with a touch more than 24 h before its end; there"):
        fit_half_life(lengths=[1] * 120, ages=[0.5] * 60 + [9.0] * 60, conversions=[1] * 60 + [0] * 60, ignored_days=1)


def test_more_journeys_narrow_the_interval():
    few, many = (fit_half_life(**simulated(1, 7.0, journeys)) for journeys in (1_000, 9_000))
    assert np.log(many.high / many.low) == pytest.approx(np.log(few.high / few.low) / 3, rel=0.25)


def likelihood_of(journeys: dict, half_life: float) -> Callable[[float, float], float]:
    """Return the log likelihood of the point process as a function of both rates, summed journey by journey."""
    decayed, days, decayed_days, first = [], 0.0, 0.0, 0
    for length, converted in zip(journeys["lengths"], journeys["conversions"], strict=True):
        ages = np.asarray(journeys["ages"])[first : first + length]
        first += length
        days += ages.max()
        decayed_days += half_life / np.log(2) * (1 - 2 ** (-ages / half_life)).sum()
        if converted:
            decayed.append((2 ** (-ages / half_life)).sum())
    at_conversion = np.array(decayed)
    return lambda base, touch: np.log(base + touch * at_conversion).sum() - base * days - touch * decayed_days


def test_the_fit_is_the_maximum_of_the_likelihood():
    journeys = simulated(3, 5.0, 1_000)
    fit = fit_half_life(**journeys)
    best = likelihood_of(journeys, fit.days)(fit.base_rate, fit.touch_rate)
    for days, base, touch in ((1.05, 1, 1), (0.95, 1, 1), (1, 1.1, 1), (1, 0.9, 1), (1, 1, 1.05), (1, 1, 0.95)):
        assert likelihood_of(journeys, fit.days * days)(fit.base_rate * base, fit.touch_rate * touch) < best
    for bound in (fit.low, fit.high):
        likelihood = likelihood_of(journeys, bound)
        highest = max(
            likelihood(fit.base_rate * base, fit.touch_rate * touch)
            for base in np.linspace(0.5, 1.5, 41)
            for touch in np.linspace(0.8, 1.2, 41)
        )
        assert best - highest == pytest.approx(CHI2_95 / 2, abs=0.02)


def test_neither_the_order_of_journeys_nor_of_touches_changes_a_bit():
    journeys = simulated(2, 7.0, 1_000)
    starts = np.concatenate([[0], np.cumsum(journeys["lengths"])])
    order = np.random.default_rng(0).permutation(len(journeys["lengths"]))
    shuffled = {
        "lengths": [journeys["lengths"][journey] for journey in order],
        "ages": np.concatenate([journeys["ages"][starts[journey] : starts[journey + 1]][::-1] for journey in order]),
        "conversions": [journeys["conversions"][journey] for journey in order],
    }
    assert fit_half_life(**shuffled) == fit_half_life(**journeys)


def test_a_weight_counts_a_journey_that_often_without_narrowing_the_interval():
    journeys = simulated(4, 7.0, 1_000)
    plain, scaled = fit_half_life(**journeys), fit_half_life(**journeys, weights=np.full(1_000, 10.0))
    names = list(HalfLife.__slots__)
    assert [getattr(scaled, name) for name in names] == pytest.approx(
        [getattr(plain, name) for name in names], rel=1e-4
    )


def test_too_few_journeys_are_not_enough():
    journeys = simulated(1, 7.0, 100, touch=0.002)
    with pytest.raises(NotEnoughData, match=r"at least 50 converting journeys with a touch; there are \d+"):
        fit_half_life(**journeys)
    with pytest.raises(NotEnoughData, match="at least 50 non-converting journeys with a touch; there are 0"):
        fit_half_life(lengths=[1] * 60, ages=[1.0] * 60, conversions=[1] * 60)


def test_touches_without_an_effect_are_not_enough():
    with pytest.raises(NotEnoughData, match="do not raise the rate of conversions"):
        fit_half_life(**simulated(1, 7.0, 3_000, base=0.01, touch=1e-9))


def test_conversions_at_the_touch_alone_are_not_enough():
    journeys = {"lengths": [1] * 200, "ages": [0.0] * 100 + [WINDOW] * 100, "conversions": [1] * 100 + [0] * 100}
    with pytest.raises(NotEnoughData, match="later than 1 h after a touch"):
        fit_half_life(**journeys)


def test_an_effect_that_outlasts_the_observation_is_not_enough():
    with pytest.raises(NotEnoughData, match="no upper end below 365 days"):
        fit_half_life(**simulated(1, 2_000.0, 1_000, base=0.0, touch=0.005))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ages": [1.0, -1.0]}, "ages has negative"),
        ({"ages": [1.0]}, "lengths sum to 2, but there are 1 ages"),
        ({"conversions": [1, 3]}, "conversions has values other than 0 and 1"),
    ],
)
def test_wrong_columns_are_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        fit_half_life(**{"lengths": [1, 1], "ages": [1.0, 2.0], "conversions": [1, 0], **changed})
