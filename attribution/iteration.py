"""Removal effects of large chains by sparse iteration with a bound of the error.

In: `Chain`. Out: the effect of each channel, the solution to start a similar chain from, and the bound.

For each channel c, the unknowns are the probabilities y(s) that a journey converts after state s without entering c:
y = b + Q y, where b is the probability of an immediate conversion and Q those of the transitions that do not enter c.
Each cycle has two sweeps y <- b + Q y and a correction between them, which solves the same system for groups of states
with the same last channel (aggregation, two-level multigrid). Sums have a fixed order: equal input gives equal bits.

The expected visits of a state are its observed visits per journey, because each visit follows a transition. So the
error of y(start) is at most the sum of visits times |b + Q y - y| per journey, and this is the bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from attribution.chain import Chain
from attribution.journeys import Floats, Integers
from attribution.paths import totals

TOLERANCE = 1e-13  # of an effect
MAX_CYCLES = 20_000


class Solution(NamedTuple):
    """The effects, the probabilities y per state and channel, and the largest possible error of an effect."""

    effects: Floats
    values: Floats
    bound: float


@dataclass(frozen=True, slots=True)
class _Matrix:
    """Q in slots: slot i has the i-th transition of each state that has so many, for states sorted by their number."""

    order: Integers
    slots: list[tuple[Integers, Floats]]
    exits: Floats

    def sweep(self, values: Floats) -> Floats:
        """Return b + Q y for states in `order`."""
        result = np.repeat(self.exits[:, None], values.shape[1], axis=1)
        for targets, probabilities in self.slots:
            result[: len(targets)] += probabilities[:, None] * values[targets]
        return result


def effects_by_iteration(chain: Chain, tolerance: float = TOLERANCE, initial: Floats | None = None) -> Solution:
    """Return the effects with an error of at most `tolerance`, from the `values` of a similar chain if given."""
    shape, channels = chain.shape, len(chain.channels)
    is_step = (shape.sources != shape.targets) & (chain.edges > 0)
    sources, targets, edges = shape.sources[is_step], shape.targets[is_step], chain.edges[is_step]
    leaving = totals(sources, edges, len(chain.nulls)) + chain.conversions + chain.nulls
    matrix = _matrix(sources, targets, edges, chain.conversions, leaving)
    labels, visits = shape.state_channels[matrix.order], leaving[matrix.order] / leaving[0]
    start, steps = int(np.flatnonzero(labels < 0)[0]), np.flatnonzero(labels >= 0)
    groups = channels + 1
    grouped = (shape.state_channels[sources] % groups) * groups + shape.state_channels[targets] % groups
    flows = totals(grouped, edges, groups * groups).reshape(groups, groups)
    inverse = _group_inverse(np.diag(totals(shape.state_channels % groups, leaving, groups)) - flows) * leaving[0]
    rate = chain.conversions.sum() / leaving[0]

    def sweep(values: Floats) -> Floats:
        result = matrix.sweep(values)
        result[steps, labels[steps]] = 0.0
        return result

    values = np.zeros((len(labels), channels)) if initial is None else initial
    corrects, last_bound = True, np.inf
    for _ in range(MAX_CYCLES):
        swept = sweep(values)
        residual = swept - values
        bound = float((visits[:, None] * np.abs(residual)).sum(axis=0).max() / rate)
        if bound <= tolerance:
            break
        corrects = corrects and bound < 0.9 * last_bound
        last_bound = bound
        values = sweep(values + _correction(inverse, residual, visits, labels)) if corrects else swept
    return Solution(1.0 - swept[start] / rate, values, bound)


def _matrix(sources: Integers, targets: Integers, edges: Floats, conversions: Floats, leaving: Floats) -> _Matrix:
    degrees = np.bincount(sources, minlength=len(leaving))
    order = np.argsort(-degrees, kind="stable")
    position = np.empty_like(order)
    position[order] = np.arange(len(order))
    by_source = np.argsort(position[sources], kind="stable")
    rows = position[sources][by_source]
    slot = np.arange(len(rows)) - np.searchsorted(rows, rows)
    by_slot = np.argsort(slot, kind="stable")
    chosen = by_source[by_slot]
    bounds = np.cumsum(np.bincount(slot))[:-1]
    probabilities = edges[chosen] / leaving[sources[chosen]]
    slots = list(zip(np.split(position[targets[chosen]], bounds), np.split(probabilities, bounds), strict=True))
    exits = np.divide(conversions, leaving, out=np.zeros_like(leaving), where=leaving > 0)
    return _Matrix(order, slots, exits[order])


def _group_inverse(system: Floats) -> Floats:
    """Return, for each removed channel, the inverse of the system of groups. The start is the last group.

    The removed channel's row and column of the inverse are 0. The pivots of such a matrix need no exchange of rows.
    """
    groups = len(system)
    removed = np.arange(groups - 1)
    systems = np.repeat(system[None], groups - 1, axis=0)
    systems[removed, removed, :] = 0.0
    systems[removed, :, removed] = 0.0
    diagonal = np.arange(groups)
    systems[:, diagonal, diagonal] += systems[:, diagonal, diagonal] <= 0
    inverse = np.repeat(np.eye(groups)[None], groups - 1, axis=0)
    for pivot in range(groups):
        scale = 1.0 / systems[:, pivot, pivot][:, None]
        systems[:, pivot], inverse[:, pivot] = systems[:, pivot] * scale, inverse[:, pivot] * scale
        factors = systems[:, :, pivot].copy()
        factors[:, pivot] = 0.0
        inverse -= factors[:, :, None] * inverse[:, pivot][:, None, :]
        systems -= factors[:, :, None] * systems[:, pivot][:, None, :]
    inverse[removed, removed, :] = 0.0
    return inverse


def _correction(inverse: Floats, residual: Floats, visits: Floats, labels: Integers) -> Floats:
    """Return the correction of each state: that of its group."""
    channels = len(inverse)
    weighted = visits[:, None] * residual
    grouped = np.zeros((channels + 1, channels))
    for group in range(channels + 1):
        grouped[group] = weighted[labels % (channels + 1) == group].sum(axis=0)
    corrected = (inverse * grouped.T[:, None, :]).sum(axis=2)
    return np.asarray(corrected[:, labels % (channels + 1)].T)
