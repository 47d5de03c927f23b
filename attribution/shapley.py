"""Shapley values of channels: the average gain in conversion rate when a channel joins a set of channels.

In: `PathTable` and the weights of its journeys. Out: one value per channel, exact or with its standard error.

The game is v(S) = the conversion rate of the journeys whose channels all belong to S, 0 if there are none. The value of
channel i is the sum over all S without i of |S|! (n - |S| - 1)! / n! (v(S + i) - v(S)): Shapley, "A value for n-person
games", Contributions to the Theory of Games II, 1953. Zhao, Mahboobi and Bagheri, "Shapley value methods for
attribution modeling in online advertising", 2018 (arXiv:1804.05327), describe it for channels. A rate can fall when a
channel joins, so values can be negative. All values sum to v of all channels, the conversion rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb
from typing import Literal, NamedTuple

import numpy as np

from attribution.journeys import Floats, Integers
from attribution.paths import PathTable, prefix_tree, totals

MAX_EXACT_CHANNELS = 16
CELLS = 1 << 19  # coalitions times games that are solved at once, for the processor's cache
PAIRS_PER_CHECK = 32
MAX_PAIRS = 1_024
PRECISION = 0.001  # the standard error to reach, as a share of the conversion rate
SAMPLE_SEED = 16


class ShapleyValues(NamedTuple):
    """The value of each channel and its standard error, which is 0 if the method is `exact`."""

    values: Floats
    standard_errors: Floats
    method: Literal["exact", "sampled"]
    permutations: int


class Games(NamedTuple):
    """The weight of converting and of all journeys with exactly each channel set: a row per game."""

    converted: Floats
    total: Floats


@dataclass(frozen=True, slots=True)
class ChannelSets:
    """The distinct sets of channels of all paths, and the set of each node of the tree (-1 for the root)."""

    channels: int
    starts: Integers
    members: Integers
    node_sets: Integers


def channel_sets(table: PathTable) -> ChannelSets:
    """Return the channel sets of a table. Their order depends on the paths alone."""
    nodes = np.unique(table.kind_nodes)
    rows, at = np.arange(len(nodes)), nodes
    found_rows, found_channels = [], []
    while len(at):
        found_rows.append(rows)
        found_channels.append(table.state_channels[table.tree.steps[at]])
        at = table.tree.parents[at]
        rows, at = rows[at > 0], at[at > 0]
    channels = len(table.channels)
    keys = np.unique(np.concatenate(found_rows) * channels + np.concatenate(found_channels)) if found_rows else rows
    sizes = np.bincount(keys // channels, minlength=len(nodes)) if len(keys) else np.zeros(0, dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    _, ends = prefix_tree(starts, keys % channels if len(keys) else keys, channels)
    _, example, set_of_node = np.unique(ends, return_index=True, return_inverse=True)
    set_sizes = sizes[example]
    set_starts = np.concatenate([[0], np.cumsum(set_sizes)]).astype(np.int64)
    within = np.arange(set_starts[-1]) - np.repeat(set_starts[:-1], set_sizes)
    node_sets = np.full(len(table.tree.parents), -1, dtype=np.int64)
    node_sets[nodes] = set_of_node
    members = (keys % channels)[np.repeat(starts[:-1][example], set_sizes) + within] if len(keys) else keys
    return ChannelSets(channels, set_starts, members, node_sets)


def set_weights(table: PathTable, sets: ChannelSets, weights: Floats) -> tuple[Floats, Floats]:
    """Return the weight of converting and of all journeys with exactly each channel set, from those of the kinds."""
    of_kind, count = sets.node_sets[table.kind_nodes], len(sets.starts) - 1
    return totals(of_kind, weights * table.kind_converted, count), totals(of_kind, weights, count)


def shapley_values(sets: ChannelSets, converted: Floats, total: Floats) -> ShapleyValues:
    """Return exact values for up to 16 channels, else those of sampled permutations."""
    if sets.channels <= MAX_EXACT_CHANNELS:
        (values,) = exact_values(sets, Games(converted[None], total[None]))
        return ShapleyValues(values, np.zeros(sets.channels), "exact", 0)
    return _sampled_values(sets, converted, total)


def exact_values(sets: ChannelSets, games: Games) -> Floats:
    """Return the values of each game, a row per game, from the rates of all coalitions.

    A subset-sum transform computes the rates of as many games at once as `CELLS` holds.
    """
    count = sets.channels
    values = np.zeros((len(games.total), count))
    if count == 0:
        return values
    masks = np.add.reduceat(np.left_shift(1, sets.members), sets.starts[:-1])
    sizes = np.bitwise_count(np.arange(1 << count))
    weights = np.array([1 / (count * comb(count - 1, size)) for size in range(count)])
    at_once = max(1, CELLS >> count)
    for first in range(0, len(values), at_once):
        part = slice(first, first + at_once)
        sums = np.zeros((2, 1 << count, len(values[part])))
        sums[:, masks] = [games.converted[part].T, games.total[part].T]
        for channel in range(count):
            halves = sums.reshape(2, -1, 2, 1 << channel, sums.shape[2])
            halves[:, :, 1] += halves[:, :, 0]
        rates = np.divide(sums[0], sums[1], out=np.zeros_like(sums[0]), where=sums[1] > 0)
        for channel in range(count):
            split = rates.reshape(-1, 2, 1 << channel, rates.shape[1])
            without = sizes.reshape(-1, 2, 1 << channel)[:, 0]
            gains = (split[:, 1] - split[:, 0]).reshape(1 << count // 2, -1, rates.shape[1])
            # In two steps, each a short sum, because the rounding errors of one long sum would add up.
            values[part, channel] = np.einsum("ab,abg->ag", weights[without].reshape(gains.shape[:2]), gains).sum(
                axis=0
            )
    return values


def _sampled_values(sets: ChannelSets, converted: Floats, total: Floats) -> ShapleyValues:
    """Return the mean gain of each channel over random orders in which the channels join.

    Sampling ends when all standard errors are at most `PRECISION` times the conversion rate, or after `MAX_PAIRS`
    draws. See Castro, Gomez and Tejada, "Polynomial calculation of the Shapley value based on sampling", Computers &
    Operations Research 36(5), 2009.
    """
    target = PRECISION * converted.sum() / total.sum()
    draws: list[Floats] = []
    for (draw,) in draw_values(sets, Games(converted[None], total[None])):
        draws.append(draw)
        if len(draws) % PAIRS_PER_CHECK == 0:
            errors = np.std(draws, axis=0, ddof=1) / np.sqrt(len(draws))
            if len(draws) >= MAX_PAIRS or errors.max() <= target:
                break
    return ShapleyValues(np.mean(draws, axis=0), errors, "sampled", 2 * len(draws))


def draw_values(sets: ChannelSets, games: Games) -> Iterator[Floats]:
    """Yield unbiased draws of the values of each game: the mean gain in a random order of the channels and its reverse.

    The seed is fixed, and all games have the same orders.
    """
    generator = np.random.Generator(np.random.PCG64(SAMPLE_SEED))
    while True:
        permutation = generator.permutation(sets.channels)
        yield (_gains(sets, games, permutation) + _gains(sets, games, permutation[::-1])) / 2


def _gains(sets: ChannelSets, games: Games, permutation: Integers) -> Floats:
    """Return the gain of each channel in one order: a set counts from the channel on that completes it."""
    rank = np.empty(sets.channels, dtype=np.int64)
    rank[permutation] = np.arange(sets.channels)
    completed = np.maximum.reduceat(rank[sets.members], sets.starts[:-1])
    conversions, journeys = (
        np.cumsum([totals(completed, row, sets.channels) for row in weights], axis=1) for weights in games
    )
    rates = np.divide(conversions, journeys, out=np.zeros_like(conversions), where=journeys > 0)
    gains: Floats = np.empty_like(rates)
    gains[:, permutation] = np.diff(rates, prepend=0.0, axis=1)
    return gains
