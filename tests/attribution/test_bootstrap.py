"""Bootstrap intervals: coverage, customers and determinism."""

from __future__ import annotations

import numpy as np
import pytest

from attribution import bootstrap
from attribution.bootstrap import Interval, removal_effect_interval, resample, shapley_interval
from attribution.chain import Chain, chain_shapes, count_chain
from attribution.elimination import effects_by_elimination
from attribution.journeys import Journeys
from attribution.paths import PathTable, aggregate
from attribution.shapley import channel_sets, set_weights, shapley_values
from tests.support.journeys import Journey, from_rows, independent_journeys


def chain_of(table: PathTable, order: int = 1) -> Chain:
    weights = table.node_weights(table.weights(table.profile_customers))
    return count_chain(table, chain_shapes(table, order)[order], weights)


def intervals(journeys: Journeys, order: int = 1, resamples: int = 200) -> tuple[Interval, Interval]:
    table = aggregate(journeys)
    sets = channel_sets(table)
    chains, games = resample(table, chain_shapes(table, order)[order], sets, resamples)
    values = shapley_values(sets, games.converted[0], games.total[0]).values
    return removal_effect_interval(chains), shapley_interval(sets, games, values)


def test_intervals_cover_the_effects_of_the_population():
    """The nominal coverage is 95 %. 120 intervals of 30 samples cover less than 88 % only if they are too narrow."""
    population = aggregate(independent_journeys(0, 200_000, 4))
    sets = channel_sets(population)
    game = set_weights(population, sets, population.weights(population.profile_customers))
    truths = effects_by_elimination([chain_of(population)])[0], shapley_values(sets, *game).values
    covered = np.zeros(2)
    for seed in range(1, 31):
        found = intervals(independent_journeys(seed, 1_000, 4), resamples=100)
        covered += [
            ((one.low <= truth) & (truth <= one.high)).mean() / 30 for one, truth in zip(found, truths, strict=True)
        ]
    assert (covered >= 0.88).all(), covered


def test_equal_journeys_have_equal_intervals():
    journeys = independent_journeys(3, 500, 5)
    for first, second in zip(intervals(journeys), intervals(journeys), strict=True):
        assert np.array_equal(first.low, second.low)
        assert np.array_equal(first.high, second.high)
        assert first.resamples == 200


def test_journeys_of_one_customer_stay_together():
    """100 customers with 10 equal journeys each know as little as 100 customers with one journey each."""
    rows = [Journey(number, ("A", "B")[number % 2 :], int(number % 4 < 2)) for number in range(100)]
    repeated = [row for row in rows for _ in range(10)]
    (alone, _), (together, _) = intervals(from_rows(rows)), intervals(from_rows(repeated))
    assert together.low == pytest.approx(alone.low)
    apart = [row._replace(customer=number) for number, row in enumerate(repeated)]
    (narrow, _) = intervals(from_rows(apart))
    assert (narrow.high - narrow.low)[0] < 0.5 * (alone.high - alone.low)[0]


def test_iterated_intervals_equal_eliminated_ones(monkeypatch):
    journeys = independent_journeys(4, 800, 5)
    eliminated, _ = intervals(journeys, order=2, resamples=60)
    monkeypatch.setattr(bootstrap, "DENSE_STATES", 2)
    iterated, _ = intervals(journeys, order=2, resamples=60)
    assert iterated.low == pytest.approx(eliminated.low, abs=1e-6)
    assert iterated.high == pytest.approx(eliminated.high, abs=1e-6)


def test_a_large_chain_has_fewer_resamples_and_names_their_number(monkeypatch):
    monkeypatch.setattr(bootstrap, "DENSE_STATES", 2)
    monkeypatch.setattr(bootstrap, "MAX_STEPS", 5 * 155 * 40)
    found, _ = intervals(independent_journeys(4, 20_000, 5), order=2, resamples=60)
    assert bootstrap.LEAST_RESAMPLES <= found.resamples < 60


def test_intervals_of_sampled_values_agree_with_exact_ones(monkeypatch):
    table = aggregate(independent_journeys(5, 4_000, 8))
    sets = channel_sets(table)
    games = resample(table, chain_shapes(table, 1)[1], sets, 100).games
    values = shapley_values(sets, games.converted[0], games.total[0]).values
    exact = shapley_interval(sets, games, values)
    monkeypatch.setattr(bootstrap, "MAX_EXACT_CHANNELS", 7)
    sampled = shapley_interval(sets, games, values)
    width = exact.high - exact.low
    assert np.abs(sampled.low - exact.low).max() < 0.25 * width.min()
    assert np.abs(sampled.high - exact.high).max() < 0.25 * width.min()
