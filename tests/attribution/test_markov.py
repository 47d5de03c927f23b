"""Removal effects against exact fractions, enumerated paths and each other."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.chain import Chain, chain_shapes, count_chain, transitions
from attribution.elimination import effects_by_elimination
from attribution.iteration import effects_by_iteration
from attribution.journeys import Journeys, transform_paths
from attribution.markov import removal_effects
from attribution.paths import aggregate
from tests.support.journeys import Journey, from_rows, independent_journeys, journey_rows

CONVERSION, NULL = "conversion", "null"


def chain_of(journeys: Journeys, order: int) -> Chain:
    table = aggregate(journeys)
    weights = table.node_weights(table.weights(table.profile_customers))
    return count_chain(table, chain_shapes(table, order)[order], weights)


def probabilities(rows: list[Journey], order: int) -> dict[tuple, dict[tuple, Fraction]]:
    """The transition probabilities as fractions. A state is the tuple of the last channels, () the start."""
    counts: dict[tuple, dict[tuple, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for row in rows:
        state: tuple = ()
        for step in row.path:
            following = (*state, step)[-order:]
            counts[state][following] += Fraction(row.weight)
            state = following
        counts[state][(CONVERSION if row.conversions else NULL,)] += Fraction(row.weight)
    return {
        state: {following: count / sum(row.values()) for following, count in row.items()}
        for state, row in counts.items()
    }


def conversion_probability(chain: dict[tuple, dict[tuple, Fraction]], removed: str | None = None) -> Fraction:
    """P(conversion) from the start, by Gaussian elimination of fractions."""
    states = [state for state in chain if not state or state[-1] != removed]
    row_of = {state: row for row, state in enumerate(states)}
    matrix = [[Fraction(int(row == column)) for column in range(len(states))] for row in range(len(states))]
    constants = [chain[state].get((CONVERSION,), Fraction(0)) for state in states]
    for state, row in row_of.items():
        for following, probability in chain[state].items():
            if following in row_of:
                matrix[row][row_of[following]] -= probability
    for pivot in range(len(states)):
        swap = next(row for row in range(pivot, len(states)) if matrix[row][pivot] != 0)
        matrix[pivot], matrix[swap] = matrix[swap], matrix[pivot]
        constants[pivot], constants[swap] = constants[swap], constants[pivot]
        for row in range(len(states)):
            if row != pivot and matrix[row][pivot]:
                factor = matrix[row][pivot] / matrix[pivot][pivot]
                matrix[row] = [a - factor * b for a, b in zip(matrix[row], matrix[pivot], strict=True)]
                constants[row] -= factor * constants[pivot]
    start = row_of[()]
    return constants[start] / matrix[start][start]


def exact_effects(rows: list[Journey], order: int) -> dict[str, Fraction]:
    chain = probabilities(rows, order)
    whole = conversion_probability(chain)
    channels = sorted({channel for row in rows for channel in row.path})
    return {
        channel: 1 - conversion_probability(chain, channel) / whole if whole else Fraction(0) for channel in channels
    }


@settings(deadline=None, max_examples=60)
@given(rows=journey_rows, order=st.integers(1, 4))
def test_effects_equal_those_in_fractions(rows, order):
    chain = chain_of(from_rows(rows), order)
    expected = exact_effects(rows, order)
    assert chain.channels == tuple(expected)
    assert removal_effects(chain) == pytest.approx([float(effect) for effect in expected.values()], rel=1e-14, abs=0)
    if chain.conversions.any():
        iterated = effects_by_iteration(chain)
        assert iterated.effects == pytest.approx([float(effect) for effect in expected.values()], abs=2e-13)
        assert iterated.bound <= 1e-13


def enumerated_probability(chain: dict[tuple, dict[tuple, Fraction]], removed: str | None) -> Fraction:
    """P(conversion) as the sum over all walks of an acyclic chain."""
    found, walks = Fraction(0), [((), Fraction(1))]
    while walks:
        state, probability = walks.pop()
        for following, share in chain[state].items():
            if following == (CONVERSION,):
                found += probability * share
            elif following != (NULL,) and following[-1] != removed:
                walks.append((following, probability * share))
    return found


@pytest.mark.parametrize("order", [1, 2, 3])
def test_effects_equal_the_sum_over_all_walks(order):
    generator = np.random.default_rng(order)
    rows = [
        Journey(number, tuple(channel for channel in "ABCDEF" if generator.random() < 0.5) or ("A",), number % 3 // 2)
        for number in range(300)
    ]
    chain = probabilities(rows, order)
    whole = enumerated_probability(chain, None)
    expected = [float(1 - enumerated_probability(chain, channel) / whole) for channel in "ABCDEF"]
    assert removal_effects(chain_of(from_rows(rows), order)) == pytest.approx(expected, rel=1e-14, abs=0)


def test_a_loop_is_a_geometric_series():
    """A repeats with probability 1/2, leads to B with 1/4 and converts with 1/4: 1/4 + 1/8 + 1/16 + ... = 1/2."""
    rows = [Journey(1, ("A", "A", "A"), 1), Journey(2, ("A", "B"), 1)]
    assert list(removal_effects(chain_of(from_rows(rows), 1))) == [1.0, 0.5]


def test_effects_of_rare_events_keep_their_relative_precision():
    """Subtracting two probabilities would lose all digits of an effect of 1e-12."""
    rows = [
        Journey(1, ("A",), 1, 1e6),
        Journey(2, ("A", "B"), 1, 1e-6),
        Journey(3, ("A", "A", "A", "A"), 0, 1e9),
        Journey(4, ("C",), 0, 1e12),
    ]
    expected = exact_effects(rows, 1)
    assert float(expected["B"]) < 1e-11
    assert removal_effects(chain_of(from_rows(rows), 1)) == pytest.approx([*map(float, expected.values())], rel=1e-13)


def test_the_states_of_a_frequency_are_removed_together():
    rows = [Journey(1, ("A", "A", "B"), 1), Journey(2, ("A", "B", "A"), 1), Journey(3, ("B",), 1)]
    chain = chain_of(transform_paths(from_rows(rows), "frequency"), 1)
    assert chain.channels == ("A", "B")
    assert removal_effects(chain) == pytest.approx([2 / 3, 1.0])


@pytest.mark.parametrize("order", [2, 3])
def test_iteration_equals_elimination_for_many_states(order):
    chain = chain_of(independent_journeys(3, 3_000, 9), order)
    eliminated = effects_by_elimination([chain])[0]
    iterated = effects_by_iteration(chain)
    assert iterated.bound <= 1e-13
    assert iterated.effects == pytest.approx(eliminated, abs=2e-13)


def test_iteration_converges_on_long_journeys():
    rows = [Journey(number, ("A", "B") * 200 + ("C",) * (number % 2), number % 2) for number in range(20)]
    chain = chain_of(from_rows(rows), 2)
    assert effects_by_iteration(chain).effects == pytest.approx(effects_by_elimination([chain])[0], abs=1e-12)


def test_many_chains_at_once_equal_each_alone():
    chains = [chain_of(independent_journeys(5, 400, 5), 1)]
    chains.append(
        Chain(chains[0].shape, chains[0].channels, chains[0].edges + 1, chains[0].conversions, chains[0].nulls)
    )
    together = effects_by_elimination(chains)
    assert np.array_equal(together, np.concatenate([effects_by_elimination([chain]) for chain in chains]))


def test_transitions_count_every_step_and_end():
    rows = [Journey(1, ("A", "B"), 1), Journey(2, ("A",), 0, 3.0), Journey(3, ("B", "B"), 0)]
    found = {
        (row.from_channel, row.to_channel): (row.count, row.probability)
        for row in transitions(aggregate(from_rows(rows)))
    }
    assert found == {
        ("(start)", "A"): (4.0, 0.8),
        ("(start)", "B"): (1.0, 0.2),
        ("A", "(null)"): (3.0, 0.75),
        ("A", "B"): (1.0, 0.25),
        ("B", "(conversion)"): (1.0, 1 / 3),
        ("B", "(null)"): (1.0, 1 / 3),
        ("B", "B"): (1.0, 1 / 3),
    }
