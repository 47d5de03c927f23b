"""Shapley values against all permutations, exact and sampled."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings

from attribution import shapley
from attribution.journeys import Journeys
from attribution.paths import aggregate
from attribution.shapley import ChannelSets, ShapleyValues, channel_sets, set_weights, shapley_values
from tests.support.journeys import Journey, from_rows, independent_journeys, journey_rows


def game_of(journeys: Journeys) -> tuple[ChannelSets, np.ndarray, np.ndarray]:
    table = aggregate(journeys)
    sets = channel_sets(table)
    return sets, *set_weights(table, sets, table.weights(table.profile_customers))


def values_of(rows: list[Journey]) -> ShapleyValues:
    return shapley_values(*game_of(from_rows(rows)))


def rate(rows: list[Journey], coalition: set[str]) -> Fraction:
    inside = [row for row in rows if set(row.path) <= coalition]
    total = sum(Fraction(row.weight) for row in inside)
    return sum(Fraction(row.weight) for row in inside if row.conversions) / total if total else Fraction(0)


def values_by_permutation(rows: list[Journey]) -> list[float]:
    channels = sorted({channel for row in rows for channel in row.path})
    gained = dict.fromkeys(channels, Fraction(0))
    orders = list(permutations(channels))
    for order in orders:
        for position, channel in enumerate(order):
            gained[channel] += rate(rows, {*order[: position + 1]}) - rate(rows, {*order[:position]})
    return [float(gained[channel] / len(orders)) for channel in channels]


@settings(deadline=None, max_examples=80)
@given(rows=journey_rows)
def test_values_equal_the_mean_gain_over_all_permutations(rows):
    found = values_of(rows)
    assert found.method == "exact"
    assert found.values == pytest.approx(values_by_permutation(rows), abs=1e-15)


@pytest.mark.parametrize("channels", [3, 16, 20])
def test_values_sum_to_the_conversion_rate(channels):
    journeys = independent_journeys(1, 5_000, channels)
    found = shapley_values(*game_of(journeys))
    assert found.values.sum() == pytest.approx(journeys.converted.mean(), rel=1e-12)
    assert found.method == ("exact" if channels <= 16 else "sampled")


def test_a_channel_that_lowers_the_rate_has_a_negative_value():
    rows = [Journey(1, ("A",), 1), Journey(2, ("A", "B"), 0), Journey(3, ("B",), 0)]
    assert list(values_of(rows).values) == pytest.approx([2 / 3, -1 / 3])


def test_sampled_values_lie_within_their_standard_errors(monkeypatch):
    game = game_of(independent_journeys(2, 20_000, 12))
    exact = shapley_values(*game)
    monkeypatch.setattr(shapley, "MAX_EXACT_CHANNELS", 11)
    sampled = shapley_values(*game)
    assert sampled.method == "sampled"
    assert sampled.standard_errors.max() > 0
    assert (np.abs(sampled.values - exact.values) <= 4 * sampled.standard_errors).all()
    assert list(shapley_values(*game).values) == list(sampled.values)


def test_sampling_ends_at_the_precision_or_after_the_most_permutations(monkeypatch):
    game = game_of(independent_journeys(2, 5_000, 17))
    reached = shapley_values(*game)
    assert reached.standard_errors.max() <= shapley.PRECISION * game[1].sum() / game[2].sum() or (
        reached.permutations == 2 * shapley.MAX_PAIRS
    )
    monkeypatch.setattr(shapley, "MAX_PAIRS", 64)
    assert shapley_values(*game).permutations == 128
