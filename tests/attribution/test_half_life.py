"""The fitted half-life: recovery from simulated journeys, its interval, and data that is too little."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from attribution.half_life import CHI2_95, HalfLife, NotEnoughData, fit_half_life

WINDOW = 60.0  # days


def simulated(seed: int, half_life: float, journeys: int = 4_000, base: float = 0.001, touch: float = 0.02) -> dict:
    """Return journeys whose touches add `touch` per day, halved each half-life, to a constant rate of conversions.

    The first event of independent processes is drawn: that of the constant rate, and one per touch.
    """
    generator = np.random.default_rng(seed)
    lengths, ages, conversions = [], [], []
    expected = touch * half_life / np.log(2)  # conversions per touch, without an end
    for count in 1 + generator.poisson(2, journeys):
        touches = np.sort(np.append(generator.uniform(0, WINDOW / 2, count - 1), 0.0))
        drawn = generator.exponential(1.0, count) / expected
        own = np.where(drawn < 1, touches - half_life * np.log2(1 - np.minimum(drawn, 1 - 1e-16)), np.inf)
        end = min(WINDOW, generator.exponential(1 / base) if base else np.inf)
        for at, conversion in zip(touches, own, strict=True):
            if at < end:
                end = min(end, conversion)
        seen = touches[touches <= end]
        lengths.append(len(seen))
        ages.append(end - seen)
        conversions.append(int(end < WINDOW))
    return {"lengths": lengths, "ages": np.concatenate(ages), "conversions": conversions}


@pytest.mark.parametrize("half_life", [1.0, 7.0, 20.0])
def test_a_known_half_life_is_recovered_and_covered(half_life):
    fits = [fit_half_life(**simulated(seed, half_life)) for seed in range(6)]
    assert np.median([fit.days for fit in fits]) == pytest.approx(half_life, rel=0.06)
    assert sum(fit.low <= half_life <= fit.high for fit in fits) >= 5
    for fit in fits:
        assert fit.low < fit.days < fit.high < 1.5 * fit.low
        assert fit.touch_rate == pytest.approx(0.02, rel=0.25)


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
    with pytest.raises(NotEnoughData, match="later than one hour"):
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
