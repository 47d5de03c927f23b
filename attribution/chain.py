"""The counted transitions of journeys: an absorbing Markov chain over the last channels of each journey.

In: `PathTable` and the weights of its journeys. Out: `Chain`, for orders 0 and up, and the transitions of order 1.

The states are the start, the last `order` channels of a journey, the conversion and null: the journey ends without a
conversion. Converting and non-converting journeys count alike. See Anderl, Becker, von Wangenheim and Schumann,
"Mapping the customer journey: Lessons learned from graph-based online attribution modeling", International Journal of
Research in Marketing 33(3), 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.journeys import Floats, Integers
from attribution.paths import NodeWeights, PathTable, PrefixTree, distinct_values, totals


@dataclass(frozen=True, slots=True)
class ChainShape:
    """The observed states and transitions of one order. State 0 is the start.

    `node_states` has the state that a prefix of a path leads to, `node_edges` the transition that its last step takes.
    `state_examples` and `edge_examples` name one such prefix of each.
    """

    order: int
    node_states: Integers
    node_edges: Integers
    state_examples: Integers
    edge_examples: Integers
    sources: Integers
    targets: Integers
    state_channels: Integers  # the channel of the last step, -1 for the start


@dataclass(frozen=True, slots=True)
class Chain:
    """The weight of each transition of `shape`, and of the journeys that end after each state."""

    shape: ChainShape
    channels: tuple[str, ...]
    edges: Floats
    conversions: Floats
    nulls: Floats


@dataclass(frozen=True, slots=True)
class Transition:
    """One transition between two states of the chain of order 1, with its weight and probability."""

    from_channel: str
    to_channel: str
    count: float
    probability: float


def chain_shapes(table: PathTable, orders: int) -> list[ChainShape]:
    """Return the shapes of the chains of order 0 to `orders`."""
    tree = table.tree
    contexts = [np.zeros(len(tree.parents), dtype=np.int64)]
    for _ in range(orders + 1):
        contexts.append(_longer_contexts(tree, contexts[-1], len(table.states)))
    return [_shape(table, order, *contexts[order : order + 2]) for order in range(orders + 1)]


def _longer_contexts(tree: PrefixTree, shorter: Integers, states: int) -> Integers:
    """Return the context of each node that is one step longer: that of its parent and its own step."""
    keys = shorter[tree.parents[1:]] * states + tree.steps[1:]
    _, inverse = distinct_values(keys, (int(shorter.max()) + 1) * states)
    return np.concatenate([[0], 1 + inverse])


def _shape(table: PathTable, order: int, states: Integers, longer: Integers) -> ChainShape:
    """The transitions of one order are the contexts of the next: a state and a step."""
    edges = longer[1:] - 1
    state_examples, edge_examples = _examples(states), 1 + _examples(edges)
    last = np.where(table.tree.steps < 0, -1, table.state_channels[table.tree.steps])
    return ChainShape(
        order=order,
        node_states=states,
        node_edges=edges,
        state_examples=state_examples,
        edge_examples=edge_examples,
        sources=states[table.tree.parents[edge_examples]],
        targets=states[edge_examples],
        state_channels=last[state_examples],
    )


def _examples(values: Integers) -> Integers:
    """Return a position of each value, for values that are numbered from 0."""
    positions = np.zeros(int(values.max(initial=-1)) + 1, dtype=np.int64)
    positions[values] = np.arange(len(values))
    return positions


def count_chain(table: PathTable, shape: ChainShape, weights: NodeWeights) -> Chain:
    """Return the chain of the journeys that `PathTable.node_weights` has weighed."""
    states = len(shape.state_examples)
    return Chain(
        shape=shape,
        channels=table.channels,
        edges=totals(shape.node_edges, weights.passing[1:], len(shape.edge_examples)),
        conversions=totals(shape.node_states, weights.converted, states),
        nulls=totals(shape.node_states, weights.lost, states),
    )


def transitions(table: PathTable) -> list[Transition]:
    """Return the transitions of the chain of order 1, including `(start)`, `(conversion)` and `(null)`."""
    if not table.states:
        return []
    shape = chain_shapes(table, 1)[1]
    chain = count_chain(table, shape, table.node_weights(table.weights(table.profile_customers)))
    names = ["(start)", *(table.states[step] for step in table.tree.steps[shape.state_examples[1:]])]
    total = totals(shape.sources, chain.edges, len(names)) + chain.conversions + chain.nulls
    rows = [
        *zip(shape.sources, (names[target] for target in shape.targets), chain.edges, strict=True),
        *((state, "(conversion)", count) for state, count in enumerate(chain.conversions)),
        *((state, "(null)", count) for state, count in enumerate(chain.nulls)),
    ]
    return [
        Transition(names[source], target, float(count), float(count / total[source]))
        for source, target, count in sorted(rows, key=lambda row: (names[row[0]], row[1]))
        if count > 0
    ]
