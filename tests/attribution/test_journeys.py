"""Columns of journeys and the transforms of their paths."""

from __future__ import annotations

import numpy as np
import pytest

from attribution.journeys import Journeys, from_arrays, transform_paths
from attribution.paths import aggregate
from tests.support.journeys import Journey, from_rows


def paths(journeys: Journeys) -> list[list[str]]:
    names = [journeys.states[step] for step in journeys.steps]
    return [names[low:high] for low, high in zip(journeys.starts[:-1], journeys.starts[1:], strict=True)]


def transformed(path: str, transform: str, direct: str | None = None) -> list[str]:
    return paths(transform_paths(from_rows([Journey(1, tuple(path.split()), 1)]), transform, direct))[0]


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        ("unique", ["D", "A", "B", "B", "C", "D", "C", "C"]),
        ("exposure", ["D", "A", "B", "C", "D", "C"]),
        ("first", ["D", "A", "B", "C"]),
        ("frequency", ["D (2)", "A (1)", "B (2)", "C (3)"]),
    ],
)
def test_transforms_equal_the_example_of_fractribution(transform, expected):
    assert transformed("D A B B C D C C", transform) == expected


@pytest.mark.parametrize(
    ("path", "transform", "expected"),
    [
        ("A Direct A", "unique", ["A", "A"]),
        ("A Direct A", "exposure", ["A"]),
        ("Direct A Direct", "frequency", ["A (1)"]),
        ("Direct Direct", "unique", ["Direct", "Direct"]),
        ("Direct Direct", "frequency", ["Direct (2)"]),
        ("A B", "first", ["A", "B"]),
    ],
)
def test_direct_is_removed_first_unless_the_path_has_no_other_channel(path, transform, expected):
    assert transformed(path, transform, direct="Direct") == expected


def test_a_transform_keeps_journeys_apart():
    rows = [Journey(1, ("A", "B"), 1), Journey(2, ("B", "B", "A"), 0), Journey(3, ("A",), 1)]
    assert paths(transform_paths(from_rows(rows), "exposure")) == [["A", "B"], ["B", "A"], ["A"]]
    assert paths(transform_paths(from_rows(rows), "frequency")) == [["A (1)", "B (1)"], ["B (2)", "A (1)"], ["A (1)"]]


def test_channels_that_a_transform_removes_do_not_occur():
    journeys = transform_paths(from_rows([Journey(1, ("Direct", "A"), 1)]), "exposure", "Direct")
    assert journeys.channels == journeys.states == ("A",)


def test_states_of_a_frequency_belong_to_their_channel():
    journeys = transform_paths(from_rows([Journey(1, ("A", "B", "A"), 1), Journey(2, ("A",), 0)]), "frequency")
    assert journeys.states == ("A (1)", "A (2)", "B (1)")
    assert [journeys.channels[channel] for channel in journeys.state_channels] == ["A", "A", "B"]


def test_journeys_without_touch_or_weight_are_dropped():
    rows = [Journey(1, (), 1), Journey(2, ("A",), 1, 0.0), Journey(3, ("B",), 0)]
    journeys = from_rows(rows)
    assert paths(journeys) == [["B"]]
    assert journeys.channels == ("B",)


def test_names_and_positions_give_the_same_journeys():
    columns = {"customers": ["x", "y"], "lengths": [2, 1], "conversions": [1, 0]}
    by_name = from_arrays(**columns, touches=["B", "A", "B"])
    by_position = from_arrays(**columns, touches=[2, 0, 2], channels=["A", "unused", "B"])
    assert paths(by_name) == paths(by_position) == [["B", "A"], ["B"]]
    assert by_name.channels == by_position.channels == ("A", "B")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"conversions": [2, 0]}, "conversions has values other than 0 and 1"),
        ({"weights": [-1, 1]}, "weights has negative"),
        ({"weights": [float("nan"), 1]}, "weights has negative"),
        ({"lengths": [2, 2]}, "lengths sum to 4, but there are 3 touches"),
        ({"customers": [1]}, "differ in length"),
        ({"touches": ["A", "(null)", "A"]}, r"\(null\) is a state of the Markov chain"),
        ({"touches": [0, 1, 2], "channels": ["A", "B"]}, "positions outside the 2 channels"),
    ],
)
def test_wrong_columns_are_refused(changed, message):
    columns = {"customers": [1, 2], "lengths": [2, 1], "touches": ["A", "B", "A"], "conversions": [1, 0]}
    with pytest.raises(ValueError, match=message):
        from_arrays(**{**columns, **changed})


def test_an_unknown_transform_is_refused():
    with pytest.raises(ValueError, match="use one of unique, exposure, first, frequency"):
        transform_paths(from_rows([Journey(1, ("A",), 1)]), "last")


def test_equal_customers_are_one_profile_in_any_order_of_their_journeys():
    long, short = ("A", "B"), ("A",)
    rows = [Journey(1, long, 1), Journey(1, short, 0), Journey(2, short, 0), Journey(2, long, 1), Journey(3, long, 1)]
    table = aggregate(from_rows(rows))
    assert sorted(table.profile_customers) == [1, 2]
    assert len(table.kind_nodes) == 2
    weights = table.node_weights(table.weights(table.profile_customers))
    assert weights.passing[0] == 5
    assert weights.converted.sum() == 3
    assert np.array_equal(weights.passing, [5, 5, 3])
