"""Equal journeys and equal customers aggregated, in an order that depends on their content alone.

In: `Journeys`. Out: `PathTable`: a prefix tree of the paths, the kinds of journeys and the profiles of customers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from attribution.journeys import Booleans, Floats, Integers, Journeys


@dataclass(frozen=True, slots=True)
class PrefixTree:
    """All prefixes of sequences: node 0 is the empty one, `steps[node]` extends the prefix `parents[node]`.

    The nodes of depth d are `levels[d]` to `levels[d + 1]`, sorted by parent and step.
    """

    parents: Integers
    steps: Integers
    levels: tuple[int, ...]

    @property
    def depth(self) -> int:
        """The length of the longest sequence."""
        return len(self.levels) - 2

    def passing(self, ended: Floats) -> Floats:
        """Return the weight of the sequences that begin with each node, from the weight that ends there."""
        total = ended.copy()
        for depth in range(self.depth, 0, -1):
            above, low, high = self.levels[depth - 1 : depth + 2]
            total[above:low] += totals(self.parents[low:high] - above, total[low:high], low - above)
        return total


class NodeWeights(NamedTuple):
    """The weight of the journeys that pass each node, and of those that end there converted or not."""

    passing: Floats
    converted: Floats
    lost: Floats


@dataclass(frozen=True, slots=True)
class PathTable:
    """Journeys by kind and customers by profile.

    A kind is a path (its node in `tree`), converted or not, and a weight. A profile is a multiset of kinds: those of
    entries `profile_starts[i]` to `profile_starts[i + 1]`. `profile_customers` counts the customers of each profile.
    The order of both depends neither on the order of rows nor on customer keys.
    """

    tree: PrefixTree
    states: tuple[str, ...]
    channels: tuple[str, ...]
    state_channels: Integers
    kind_nodes: Integers
    kind_converted: Booleans
    kind_weights: Floats
    profile_starts: Integers
    profile_kinds: Integers
    profile_customers: Integers

    def weights(self, customers: Integers) -> Floats:
        """Return the weight of the journeys of each kind, from the number of customers of each profile."""
        repeated = np.repeat(customers, np.diff(self.profile_starts)).astype(np.float64)
        return totals(self.profile_kinds, repeated, len(self.kind_nodes)) * self.kind_weights

    def node_weights(self, weights: Floats) -> NodeWeights:
        """Return the weights of the nodes from those of the kinds."""
        nodes = len(self.tree.parents)
        converted = totals(self.kind_nodes, np.where(self.kind_converted, weights, 0.0), nodes)
        lost = totals(self.kind_nodes, np.where(self.kind_converted, 0.0, weights), nodes)
        return NodeWeights(self.tree.passing(converted + lost), converted, lost)


def totals(groups: Integers, weights: Floats, count: int) -> Floats:
    """Return the sum of the weights of each group, 0 to `count` - 1, added in their order."""
    return np.bincount(groups, weights, count).astype(np.float64, copy=False)


def prefix_tree(starts: Integers, steps: Integers, states: int) -> tuple[PrefixTree, Integers]:
    """Return the tree of sequences of numbers below `states`, and the node of each sequence."""
    lengths = np.diff(starts)
    by_length = np.argsort(-lengths, kind="stable")
    longer = len(lengths) - np.searchsorted(lengths[by_length][::-1], np.arange(lengths.max(initial=0)), side="right")
    ordered_starts = starts[:-1][by_length]
    nodes = np.zeros(len(lengths), dtype=np.int64)
    parents, tree_steps, levels = [np.array([-1])], [np.array([-1])], [0, 1]
    for depth, count in enumerate(longer):
        above, below = levels[-2:]
        keys = (nodes[:count] - above) * states + steps[ordered_starts[:count] + depth]
        distinct, inverse = distinct_values(keys, (below - above) * states)
        nodes[:count] = below + inverse
        parents.append(above + distinct // states)
        tree_steps.append(distinct % states)
        levels.append(below + len(distinct))
    ends = np.empty_like(nodes)
    ends[by_length] = nodes
    return PrefixTree(np.concatenate(parents), np.concatenate(tree_steps), tuple(levels)), ends


def distinct_values(values: Integers, limit: int) -> tuple[Integers, Integers]:
    """Return the sorted distinct values, which are below `limit`, and the position of each value among them."""
    if limit > 16 * len(values):
        distinct, inverse = np.unique(values, return_inverse=True)
        return distinct, inverse.astype(np.int64)
    occurs = np.zeros(limit, dtype=np.bool_)
    occurs[values] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs, dtype=np.int64) - 1)[values]


def aggregate(journeys: Journeys) -> PathTable:
    """Return the kinds of journeys and the profiles of customers."""
    tree, nodes = prefix_tree(journeys.starts, journeys.steps, len(journeys.states))
    weights, weight_of_journey = np.unique(journeys.weights, return_inverse=True)
    keys = (nodes * 2 + journeys.converted) * len(weights) + weight_of_journey
    kinds, kind_of_journey = distinct_values(keys, len(tree.parents) * 2 * len(weights))

    _, customers = np.unique(journeys.customers, return_inverse=True)
    by_customer = np.lexsort((kind_of_journey, customers))
    starts = np.concatenate([[0], np.cumsum(np.bincount(customers))]).astype(np.int64)
    entries = kind_of_journey[by_customer]
    _, profile_of_customer = prefix_tree(starts, entries, len(kinds))
    _, example, counts = np.unique(profile_of_customer, return_index=True, return_counts=True)
    sizes = np.diff(starts)[example]
    profile_starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    within = np.arange(profile_starts[-1]) - np.repeat(profile_starts[:-1], sizes)
    return PathTable(
        tree=tree,
        states=journeys.states,
        channels=journeys.channels,
        state_channels=journeys.state_channels,
        kind_nodes=kinds // len(weights) // 2 if len(kinds) else kinds,
        kind_converted=(kinds // max(len(weights), 1) % 2).astype(np.bool_),
        kind_weights=weights[kinds % len(weights)] if len(kinds) else np.zeros(0),
        profile_starts=profile_starts,
        profile_kinds=entries[np.repeat(starts[:-1][example], sizes) + within],
        profile_customers=counts.astype(np.int64),
    )
