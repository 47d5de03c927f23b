"""The rows of `channel_effects`: edges, and inputs that must not change them."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.effects import ChannelEffect, ChannelEffects, channel_effects
from attribution.journeys import TRANSFORMS, from_arrays
from tests.support.journeys import CHANNELS, Journey, from_rows, independent_journeys, journey_rows

RESAMPLES = 20


def effects_of(rows: list[Journey], **settings_: object) -> ChannelEffects:
    return channel_effects(from_rows(rows), **{"resamples": RESAMPLES, **settings_})


def row_of(found: ChannelEffects, model: str, channel: str) -> ChannelEffect:
    (row,) = [row for row in found.rows if (row.model, row.channel) == (model, channel)]
    return row


def test_no_journeys_have_no_rows():
    assert effects_of([]) == ChannelEffects([], [])
    assert effects_of([Journey(1, (), 1)]) == ChannelEffects([], [])


def test_no_conversions_have_effects_of_0():
    found = effects_of([Journey(1, ("A", "B"), 0), Journey(2, ("B",), 0)])
    assert [row.channel for row in found.rows] == ["A", "B", "A", "B"]
    assert {(row.effect, row.low, row.high, row.conversions) for row in found.rows} == {(0.0, 0.0, 0.0, 0.0)}


def test_one_channel_has_the_whole_effect():
    found = effects_of([Journey(number, ("A",), int(number < 25)) for number in range(100)])
    removal, shapley = found.rows
    assert (removal.effect, removal.low, removal.high) == (1.0, 1.0, 1.0)
    assert shapley.effect == 0.25
    assert shapley.low < 0.25 < shapley.high


def test_if_all_convert_the_effect_is_the_share_that_reaches_the_channel():
    rows = [Journey(1, ("A",), 1), Journey(2, ("B",), 1), Journey(3, ("A", "C"), 1), Journey(4, ("B", "C"), 1)]
    found = effects_of(rows)
    assert [row.effect for row in found.rows if row.model == "data_driven"] == pytest.approx([0.5, 0.5, 0.5])


def test_a_channel_of_non_converting_journeys_alone_has_no_removal_effect():
    rows = [Journey(1, ("A",), 1), Journey(2, ("A", "C"), 0), Journey(3, ("C",), 0)]
    found = effects_of(rows)
    assert row_of(found, "data_driven", "C").effect == 0.0
    assert row_of(found, "shapley", "C").effect < 0.0
    assert (row_of(found, "shapley", "C").journeys, row_of(found, "shapley", "C").conversions) == (2.0, 0.0)


def test_a_row_names_its_method_and_order():
    found = effects_of([Journey(number, ("A", "B"), number % 2) for number in range(9)], order=2)
    removal = row_of(found, "data_driven", "B")
    assert (removal.method, removal.standard_error, removal.markov_order, removal.resamples) == ("exact", 0.0, 2, 20)
    assert row_of(found, "shapley", "B").markov_order is None


def test_more_than_16_channels_have_sampled_values_with_a_standard_error():
    found = channel_effects(independent_journeys(1, 3_000, 17), resamples=40, order=1)
    for row in found.rows:
        assert row.method == ("sampled" if row.model == "shapley" else "exact")
        assert (row.standard_error > 0) == (row.method == "sampled")
        assert row.low < row.effect < row.high


@settings(deadline=None, max_examples=30)
@given(rows=journey_rows, transform=st.sampled_from(TRANSFORMS), random=st.randoms(use_true_random=False))
def test_the_order_of_rows_and_customer_keys_change_no_bit(rows, transform, random):
    customers = sorted({row.customer for row in rows})
    renamed = dict(
        zip(customers, random.sample([f"customer {number}" for number in range(50)], len(customers)), strict=True)
    )
    changed = [row._replace(customer=renamed[row.customer]) for row in rows]
    random.shuffle(changed)
    arguments = {"transform": transform, "direct": "Direct"}
    assert effects_of(changed, **arguments) == effects_of(rows, **arguments)
    columns = from_arrays(
        customers=[row.customer for row in changed],
        lengths=[len(row.path) for row in changed],
        touches=[channel for row in changed for channel in row.path],
        conversions=[row.conversions for row in changed],
        weights=[row.weight for row in changed],
    )
    assert channel_effects(columns, resamples=RESAMPLES, **arguments) == effects_of(rows, **arguments)


@settings(deadline=None, max_examples=30)
@given(rows=journey_rows, scale=st.sampled_from((0.25, 3.0, 1000.0)))
def test_scaled_weights_scale_counts_and_keep_effects(rows, scale):
    found = effects_of(rows, order=1)
    scaled = effects_of([row._replace(weight=row.weight * scale) for row in rows], order=1)
    for before, after in zip(found.rows, scaled.rows, strict=True):
        expected = {**asdict(before), "journeys": before.journeys * scale, "conversions": before.conversions * scale}
        numbers = {name for name, value in expected.items() if isinstance(value, float)}
        assert {**asdict(after), **dict.fromkeys(numbers)} == {**expected, **dict.fromkeys(numbers)}
        for name in numbers:
            assert asdict(after)[name] == pytest.approx(expected[name], rel=1e-9, abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(rows=journey_rows)
def test_a_channel_that_never_appears_changes_nothing(rows):
    columns = {
        "customers": [row.customer for row in rows],
        "lengths": [len(row.path) for row in rows],
        "conversions": [row.conversions for row in rows],
        "weights": [row.weight for row in rows],
    }
    names = ["Affiliate", *CHANNELS, "Video"]
    with_others = from_arrays(
        **columns, touches=[names.index(channel) for row in rows for channel in row.path], channels=names
    )
    assert channel_effects(with_others, resamples=RESAMPLES) == effects_of(rows)


@settings(deadline=None, max_examples=30)
@given(first=journey_rows, second=journey_rows)
def test_transitions_of_two_orgs_add_up(first, second):
    def counts(rows: list[Journey]) -> dict[tuple[str, str], float]:
        return {(row.from_channel, row.to_channel): row.count for row in effects_of(rows, order=1).transitions}

    other = [row._replace(customer=row.customer + 100) for row in second]
    parts = (counts(first), counts(other))
    assert counts(first + other) == {
        key: sum(part.get(key, 0.0) for part in parts) for key in sorted({*parts[0], *parts[1]})
    }


def test_orgs_with_different_channels_keep_their_ratios():
    """One org's channels do not lead to the other's, so each effect shrinks by the org's share of conversions."""
    first = [Journey(number, ("A", "B")[number % 2 :], int(number % 3 == 0)) for number in range(60)]
    second = [Journey(100 + number, ("C", "D", "C")[number % 2 :], int(number % 4 == 0)) for number in range(60)]
    together = effects_of(first + second, order=1)
    for rows in (first, second):
        share = sum(row.conversions for row in rows) / sum(row.conversions for row in first + second)
        for part in effects_of(rows, order=1).rows:
            if part.model == "data_driven":
                assert row_of(together, "data_driven", part.channel).effect == pytest.approx(part.effect * share)


def test_the_probabilities_of_transitions_sum_to_1():
    found = channel_effects(independent_journeys(6, 2_000, 6), resamples=5, order=1)
    leaving: dict[str, float] = {}
    for row in found.transitions:
        leaving[row.from_channel] = leaving.get(row.from_channel, 0.0) + row.probability
    assert list(leaving.values()) == pytest.approx(np.ones(7))
    assert found.transitions == sorted(found.transitions, key=lambda row: (row.from_channel, row.to_channel))
