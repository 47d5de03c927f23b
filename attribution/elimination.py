"""Removal effects of small chains by elimination without subtraction.

In: one or more chains of the same shape. Out: the effect of each channel, exact to rounding.

States are eliminated one by one: the transitions into a state are passed on in proportion to those that leave it. No
step subtracts, so each result has a small relative error, however rare a conversion or a channel is. See Grassmann,
Taksar and Heyman, "Regenerative analysis and steady state distributions for Markov chains", Operations Research 33(5),
1985. Only elementwise operations are used: the bits do not depend on a linear-algebra library or on its threads.
"""

from __future__ import annotations

import numpy as np

from attribution.chain import Chain
from attribution.journeys import Floats, Integers

FLOWS_PER_BATCH = 4_000_000  # numbers in the matrices that are eliminated at once
EXITS = 2  # columns before those of the states: conversion and null


def effects_by_elimination(chains: list[Chain]) -> Floats:
    """Return the effects of chains of the same shape, as an array of chains and channels.

    Solving each channel alone would repeat most of the work. The channels are halved instead: one half is eliminated,
    and the other half continues with the smaller chain, until one channel remains beside the start.
    """
    shape, channels = chains[0].shape, np.arange(len(chains[0].channels))
    states = len(shape.state_examples)
    effects = np.zeros((len(chains), len(channels)))
    size = max(1, FLOWS_PER_BATCH // states**2)
    for first in range(0, len(chains), size):
        batch = chains[first : first + size]
        flows = np.zeros((len(batch), states, EXITS + states))
        for chain, matrix in zip(batch, flows, strict=True):
            matrix[:, 0], matrix[:, 1] = chain.conversions, chain.nulls
            matrix[shape.sources, EXITS + shape.targets] = chain.edges
        _split(flows, shape.state_channels, channels, effects[first : first + size])
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
