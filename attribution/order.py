"""The order of the Markov chain: how many of the last channels predict the next step best.

In: `PathTable`. Out: the order with the highest held-out log likelihood.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attribution.chain import Chain, ChainShape, chain_shapes, count_chain
from attribution.journeys import Floats
from attribution.paths import PathTable, totals

MAX_ORDER = 4
FOLDS = 5  # of the cross-validation
FOLD_SEED = 5
TIE = 1e-9  # the relative difference of two log likelihoods up to which the lower order is chosen


def choose_order(table: PathTable, max_order: int = MAX_ORDER) -> int:
    """Return the order, from 1 to `max_order`, with the highest held-out log likelihood; the lowest order in a tie.

    Five-fold cross-validation: each fold has a fifth of the customers, drawn with a fixed seed within each profile of
    equal customers. So all journeys of a customer are in one fold, and neither the order of rows nor customer keys
    matter. `held_out_likelihoods` has the smoothing of unseen transitions.
    """
    scores = held_out_likelihoods(table, max_order)
    best = max(scores)
    return 1 + next(position for position, score in enumerate(scores) if score >= best - TIE * abs(best))


def held_out_likelihoods(table: PathTable, max_order: int = MAX_ORDER) -> list[float]:
    """Return the held-out log likelihood of the chains of order 1 to `max_order`, or to the longest path if shorter.

    The probability of a step after a context mixes its share of the training weight with its probability after the
    next shorter context: (n(context, step) + m p(step | shorter)) / (n(context) + m), down to a uniform distribution
    over the states, the conversion and null. m is the mean weight of a journey. See MacKay and Peto, "A hierarchical
    Dirichlet language model", Natural Language Engineering 1(3), 1995.
    """
    shapes = chain_shapes(table, max(1, min(max_order, table.tree.depth)))
    generator = np.random.Generator(np.random.PCG64(FOLD_SEED))
    folds = generator.multinomial(table.profile_customers, [1 / FOLDS] * FOLDS)
    journeys = np.dot(table.profile_customers, np.diff(table.profile_starts))
    mean_weight = float(table.weights(table.profile_customers).sum() / journeys)
    scores = [0.0] * (len(shapes) - 1)
    for fold in range(FOLDS):
        held_out = np.ascontiguousarray(folds[:, fold])
        train_weights = table.node_weights(table.weights(table.profile_customers - held_out))
        test_weights = table.node_weights(table.weights(held_out))
        backoff = _uniform(shapes[0], len(table.states))
        for shape in shapes:
            train = count_chain(table, shape, train_weights)
            backoff = _smoothed(train, backoff, mean_weight)
            if shape.order > 0:
                tested = count_chain(table, shape, test_weights)
                scores[shape.order - 1] += _log_likelihood(tested, backoff)
    return scores


class _Probabilities(NamedTuple):
    shape: ChainShape
    edges: Floats
    conversions: Floats
    nulls: Floats


def _uniform(shape: ChainShape, states: int) -> _Probabilities:
    share = 1 / (states + 2)
    return _Probabilities(
        shape,
        np.full(len(shape.edge_examples), share),
        np.full(len(shape.state_examples), share),
        np.full(len(shape.state_examples), share),
    )


def _smoothed(train: Chain, backoff: _Probabilities, prior: float) -> _Probabilities:
    shape = train.shape
    total = totals(shape.sources, train.edges, len(train.nulls)) + train.conversions + train.nulls + prior
    shorter_states = backoff.shape.node_states[shape.state_examples]
    shorter_edges = backoff.shape.node_edges[shape.edge_examples - 1]
    return _Probabilities(
        shape,
        (train.edges + prior * backoff.edges[shorter_edges]) / total[shape.sources],
        (train.conversions + prior * backoff.conversions[shorter_states]) / total,
        (train.nulls + prior * backoff.nulls[shorter_states]) / total,
    )


def _log_likelihood(tested: Chain, probabilities: _Probabilities) -> float:
    return float(
        (tested.edges * np.log(probabilities.edges)).sum()
        + (tested.conversions * np.log(probabilities.conversions)).sum()
        + (tested.nulls * np.log(probabilities.nulls)).sum()
    )
