"""The order of the chain, chosen by held-out likelihood."""

from __future__ import annotations

import random
from itertools import product

import numpy as np
import pytest

from attribution.journeys import Journeys, from_arrays
from attribution.order import choose_order, held_out_likelihoods
from attribution.paths import aggregate
from tests.support.journeys import Journey, from_rows


def generated_journeys(order: int, seed: int, journeys: int = 12_000, channels: int = 3) -> Journeys:
    """Return journeys of a chain whose next step depends on the last `order` channels."""
    generator, draws = np.random.default_rng(seed), random.Random(seed)
    weights = {
        state: generator.dirichlet(np.ones(channels + 2) * 0.7).tolist()
        for length in range(order + 1)
        for state in product(range(channels), repeat=length)
    }
    weights[()][channels:] = [0.0, 0.0]
    lengths, touches, conversions = [], [], []
    for _ in range(journeys):
        path: list[int] = []
        while (step := draws.choices(range(channels + 2), weights[tuple(path[-order:])])[0]) < channels:
            path.append(step)
        lengths.append(len(path))
        touches += path
        conversions.append(step - channels)
    return from_arrays(
        customers=np.arange(journeys),
        lengths=lengths,
        touches=touches,
        conversions=conversions,
        channels=("A", "B", "C"),
    )


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_order_of_a_generated_chain_is_found(order, seed):
    assert choose_order(aggregate(generated_journeys(order, seed))) == order


def test_the_lowest_order_wins_a_tie():
    """One channel per journey: all orders are the same chain."""
    rows = [Journey(number, ("A",), number % 2) for number in range(50)]
    assert choose_order(aggregate(from_rows(rows))) == 1


def test_a_context_that_only_one_customer_has_is_no_evidence():
    """The last two channels predict the end of each customer's many journeys, but not those of another customer."""
    generator = np.random.default_rng(4)
    paths = {customer: tuple(generator.choice(list("ABCDEF"), 4)) for customer in range(40)}
    rows = [Journey(customer, path, customer % 2) for customer, path in paths.items() for _ in range(30)]
    assert choose_order(aggregate(from_rows(rows))) == 1


def test_the_likelihood_without_training_data_is_uniform():
    """One customer: the other folds are empty, and each of the 3 possible steps has probability 1/3."""
    table = aggregate(from_rows([Journey(1, ("A",), 1)]))
    assert held_out_likelihoods(table) == pytest.approx([2 * np.log(1 / 3)])


def test_scaled_weights_give_the_same_likelihoods():
    rows = [Journey(number % 7, ("A", "B", "A")[number % 3 :], number % 2) for number in range(60)]
    scaled = [row._replace(weight=8.0) for row in rows]
    likelihoods = held_out_likelihoods(aggregate(from_rows(rows)))
    assert held_out_likelihoods(aggregate(from_rows(scaled))) == pytest.approx([8 * value for value in likelihoods])
