"""Bootstrap intervals of effects, by customer.

In: `PathTable`, and the chain and the channel sets to solve. Out: 2.5 % and 97.5 % quantiles per channel.

Each resample counts every customer Poisson(1) times, so a profile of n equal customers Poisson(n) times: the Poisson
bootstrap, which approximates drawing customers with replacement. All journeys of a customer stay together. See Efron
and Tibshirani, "An Introduction to the Bootstrap", 1993, and Chamandy, Muralidharan, Najmi and Naidu, "Estimating
uncertainty for massive data streams", Google, 2012. The seed is fixed: equal input gives equal intervals.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attribution.chain import Chain, ChainShape, count_chain
from attribution.elimination import effects_by_elimination
from attribution.iteration import effects_by_iteration
from attribution.journeys import Floats
from attribution.markov import DENSE_STATES
from attribution.paths import PathTable
from attribution.shapley import MAX_EXACT_CHANNELS, ChannelSets, Games, draw_values, exact_values, set_weights

RESAMPLES = 200
QUANTILES = (0.025, 0.975)
BOOTSTRAP_SEED = 97
TOLERANCE = 1e-7  # of the effect of a resample, far below the width of an interval
LEAST_RESAMPLES = 20
MAX_STEPS = 100_000_000  # transitions times channels times resamples: half a minute of iteration
PAIRS = 32  # of permutations behind the deviation of a sampled Shapley value


class Resamples(NamedTuple):
    """The chain and the game of all customers and of each resample, all customers first."""

    chains: list[Chain]
    games: Games


class Interval(NamedTuple):
    """The bounds per channel, and the number of resamples behind them."""

    low: Floats
    high: Floats
    resamples: int


def resample(table: PathTable, shape: ChainShape, sets: ChannelSets, resamples: int = RESAMPLES) -> Resamples:
    """Return the chains and games of all customers and of each resample."""
    generator = np.random.Generator(np.random.PCG64(BOOTSTRAP_SEED))
    chains, games = [], []
    for draw in range(resamples + 1):
        customers = table.profile_customers
        weights = table.weights(customers if draw == 0 else generator.poisson(customers))
        chains.append(count_chain(table, shape, table.node_weights(weights)))
        games.append(set_weights(table, sets, weights))
    converted, total = zip(*games, strict=True)
    return Resamples(chains, Games(np.array(converted), np.array(total)))


def removal_effect_interval(chains: list[Chain]) -> Interval:
    """Return the intervals of the removal effects, from the chains of all customers and of each resample.

    The order of the chain is chosen before. A resample without a conversion has the effect 0. Chains of more than
    `DENSE_STATES` states are solved by iteration from the solution for all customers, as many as `MAX_STEPS` allows,
    but at least `LEAST_RESAMPLES`.
    """
    observed, *resampled = chains
    channels = len(observed.channels)
    if not observed.conversions.any():
        return _interval(np.zeros((len(resampled), channels)))
    if len(observed.conversions) <= DENSE_STATES:
        return _interval(effects_by_elimination(resampled))
    affordable = max(LEAST_RESAMPLES, MAX_STEPS // (len(observed.edges) * channels))
    initial = effects_by_iteration(observed, TOLERANCE).values
    effects = [
        effects_by_iteration(chain, TOLERANCE, initial).effects if chain.conversions.any() else np.zeros(channels)
        for chain in resampled[:affordable]
    ]
    return _interval(np.array(effects))


def shapley_interval(sets: ChannelSets, games: Games, values: Floats) -> Interval:
    """Return the intervals of Shapley values, from the games of all customers and of each resample.

    For sampled values, all games are solved with the same few permutations, and the interval is the value plus the
    quantiles of the difference from all customers, in which most of the sampling error cancels.
    """
    if sets.channels <= MAX_EXACT_CHANNELS:
        return _interval(exact_values(sets, games)[1:])
    draws = draw_values(sets, games)
    sampled = np.mean([next(draws) for _ in range(PAIRS)], axis=0)
    return _interval(values + sampled[1:] - sampled[0])


def _interval(effects: Floats) -> Interval:
    """Return the quantiles of an array of resamples and channels."""
    low, high = np.quantile(effects, QUANTILES, axis=0)
    return Interval(low, high, len(effects))
