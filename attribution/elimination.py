"""Removal effects of small chains by elimination without subtraction.

In: weighted transitions of one or more chains of the same shape. Out: the effect of each channel, exact to rounding.

States are eliminated one by one: the transitions into a state are passed on in proportion to those that leave it. No
step subtracts, so each result has a small relative error, however rare a conversion or a channel is. See Grassmann,
Taksar and Heyman, "Regenerative analysis and steady state distributions for Markov chains", Operations Research 33(5),
1985. Only elementwise operations are used: the bits do not depend on a linear-algebra library or on its threads.
"""

from __future__ import annotations

import numpy as np

from attribution.journeys import Floats, Integers

EXITS = 2  # columns before those of the states: conversion and null


def effects_by_elimination(
    edges: Floats, conversions: Floats, nulls: Floats, sources: Integers, targets: Integers, channels: Integers
) -> Floats:
    """Return the effects as an array of chains and channels.

    `edges`, `conversions` and `nulls` have a row per chain; `sources` and `targets` are the states of each edge, and
    `channels` has the channel of each state, -1 for the start, which is state 0 and has no incoming edge.

    Solving each channel alone would repeat most of the work. The channels are halved instead: one half is eliminated,
    and the other half continues with the smaller chain, until one channel remains beside the start.
    """
    chains, states = conversions.shape
    flows = np.zeros((chains, states, EXITS + states))
    flows[:, :, 0], flows[:, :, 1] = conversions, nulls
    flows[:, sources, EXITS + targets] = edges
    effects = np.zeros((chains, int(channels.max()) + 1))
    _split(flows, channels, np.arange(effects.shape[1]), effects)
    return effects


def _split(flows: Floats, labels: Integers, remaining: Integers, effects: Floats) -> None:
    if len(remaining) == 1:
        without = flows[:, 0, 0].copy()
        lost = np.zeros(len(flows))
        while flows.shape[1] > 1:
            before = flows[:, 0, 0].copy()
            flows, gained = _eliminate_last(flows)
            flows[:, 0, 0] = before
            lost += gained
        total = without + lost
        effects[:, remaining[0]] = np.divide(lost, total, out=np.zeros_like(total), where=total > 0)
        return
    middle = len(remaining) // 2
    for kept, dropped in ((remaining[:middle], remaining[middle:]), (remaining[middle:], remaining[:middle])):
        is_dropped = np.isin(labels, dropped)
        order = np.argsort(is_dropped, kind="stable")
        part = flows[:, order][:, :, np.concatenate([np.arange(EXITS), EXITS + order])]
        for _ in range(int(is_dropped.sum())):
            part, _ = _eliminate_last(part)
        _split(part, labels[~is_dropped], kept, effects)


def _eliminate_last(flows: Floats) -> tuple[Floats, Floats]:
    """Return the chains without their last state, and the weight that this adds from start to conversion."""
    last = flows[:, -1, :-1]
    leaving = last.sum(axis=1, keepdims=True)
    shares = np.divide(last, leaving, out=np.zeros_like(last), where=leaving > 0)
    passed = flows[:, :-1, -1:] * shares[:, None, :]
    gained = passed[:, 0, 0].copy()
    passed += flows[:, :-1, :-1]
    return passed, gained
