"""Journeys as columns, and the transforms of their paths.

In: journeys, each a customer, a path of channels in time order, converted or not, and a weight.
Out: `Journeys`, the same as arrays, before and after a transform.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

Transform = Literal["unique", "exposure", "first", "frequency"]
TRANSFORMS: tuple[Transform, ...] = get_args(Transform)
RESERVED = {"(start)", "(conversion)", "(null)"}
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Journeys:
    """Journeys of one org and conversion type as arrays, each with at least one touch and a positive weight.

    `steps[starts[i]:starts[i + 1]]` is the path of journey i: positions in `states`, which are sorted and all occur.
    A state is a channel, or a channel with its count after the transform `frequency`. `state_channels` has the position
    in `channels` of each state.
    """

    customers: npt.NDArray[Any]
    starts: Integers
    steps: Integers
    converted: Booleans
    weights: Floats
    states: tuple[str, ...]
    channels: tuple[str, ...]
    state_channels: Integers

    def __len__(self) -> int:
        return len(self.converted)

    @property
    def journey_of_step(self) -> Integers:
        """The journey of each step."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))


def from_arrays(
    *,
    customers: npt.ArrayLike,
    lengths: npt.ArrayLike,
    touches: npt.ArrayLike,
    conversions: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    channels: Sequence[str] | None = None,
) -> Journeys:
    """Return journeys from columns. Journeys without a touch or with weight 0 are dropped: they credit no channel.

    `customers`, `lengths`, `conversions` (0 or 1) and `weights` (1 if not given) have one value per journey. `touches`
    has the channels of all paths, one journey after the other, `lengths[i]` of them for journey i. They are names, or,
    which is faster, positions in `channels`. Integers are the fastest customers, too. Raise ValueError for other
    values.
    """
    customer_keys, path_lengths = np.asarray(customers), np.asarray(lengths, dtype=np.int64)
    flags = np.asarray(conversions)
    weight = np.ones(len(flags)) if weights is None else np.asarray(weights, dtype=np.float64)
    if len({len(customer_keys), len(path_lengths), len(flags), len(weight)}) != 1:
        raise ValueError("customers, lengths, conversions and weights differ in length: give one value per journey")
    if not np.isin(flags, (0, 1)).all():
        raise ValueError("conversions has values other than 0 and 1: split the journey after each conversion")
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError("weights has negative, infinite or missing values: give each journey a weight of at least 0")
    if channels is None:
        found, steps = np.unique(np.asarray(touches, dtype=np.str_), return_inverse=True)
        names = [str(name) for name in found]
    else:
        names, steps = list(channels), np.asarray(touches, dtype=np.int64)
    if path_lengths.sum() != len(steps):
        raise ValueError(f"lengths sum to {path_lengths.sum():,}, but there are {len(steps):,} touches")
    if len(steps) and not 0 <= steps.min() <= steps.max() < len(names):
        raise ValueError(f"touches has positions outside the {len(names)} channels")
    kept = (path_lengths > 0) & (weight > 0)
    steps = steps[np.repeat(kept, path_lengths)]
    occurs = np.bincount(steps, minlength=len(names)) > 0
    used = sorted({name for name, is_used in zip(names, occurs, strict=True) if is_used})
    if reserved := RESERVED & {*used}:
        raise ValueError(f"{sorted(reserved)[0]} is a state of the Markov chain: give the channel another name")
    codes = {name: code for code, name in enumerate(used)}
    position = np.array([codes.get(name, -1) for name in names], dtype=np.int64)
    return Journeys(
        customers=customer_keys[kept],
        starts=np.concatenate([[0], np.cumsum(path_lengths[kept])]).astype(np.int64),
        steps=position[steps],
        converted=flags[kept].astype(np.bool_),
        weights=weight[kept],
        states=tuple(used),
        channels=tuple(used),
        state_channels=np.arange(len(used), dtype=np.int64),
    )


def transform_paths(journeys: Journeys, transform: Transform, direct: str | None = None) -> Journeys:
    """Return the journeys with transformed paths.

    The transforms are those of Google's fractribution (github.com/google/fractribution, py/README.md), which Snowplow's
    attribution packages share. The path `D A B B C D C C` becomes

    - `unique`: the same path
    - `exposure`: `D A B C D C`, without repeats in a row
    - `first`: `D A B C`, the first occurrence of each channel
    - `frequency`: `D (2)`, `A (1)`, `B (2)`, `C (3)`, the first occurrences with their counts

    `direct` names a channel whose touches are removed first, unless the path has no other channel (fractribution's
    `removeIfNotAll`). Raise ValueError for an unknown transform.
    """
    if transform not in TRANSFORMS:
        raise ValueError(f"unknown path transform {transform!r}: use one of {', '.join(TRANSFORMS)}")
    if direct in journeys.channels:
        journeys = _without_direct(journeys, journeys.channels.index(direct))
    if transform == "unique" or not len(journeys):
        return journeys
    if transform == "exposure":
        is_new = np.ones(len(journeys.steps), dtype=np.bool_)
        is_new[1:] = journeys.steps[1:] != journeys.steps[:-1]
        is_new[journeys.starts[:-1]] = True
        return _keep_steps(journeys, is_new)
    keys = journeys.journey_of_step * len(journeys.states) + journeys.steps
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    is_first = np.zeros(len(keys), dtype=np.bool_)
    is_first[first] = True
    kept = _keep_steps(journeys, is_first)
    if transform == "first":
        return kept
    count_of_step = np.zeros(len(keys), dtype=np.int64)
    count_of_step[first] = counts
    return _count_states(kept, count_of_step[is_first])


def _without_direct(journeys: Journeys, direct: int) -> Journeys:
    is_other = journeys.steps != direct
    has_other = np.logical_or.reduceat(is_other, journeys.starts[:-1])
    return _keep_steps(journeys, is_other | ~has_other[journeys.journey_of_step])


def _keep_steps(journeys: Journeys, kept: Booleans) -> Journeys:
    """Return the journeys with the marked steps only; each journey keeps at least one."""
    ends = np.concatenate([[0], np.cumsum(kept)])
    steps = journeys.steps[kept]
    used = np.flatnonzero(np.bincount(steps, minlength=len(journeys.states)))
    position = np.zeros(len(journeys.states), dtype=np.int64)
    position[used] = np.arange(len(used))
    names = tuple(journeys.states[state] for state in used)
    return replace(
        journeys,
        starts=ends[journeys.starts],
        steps=position[steps],
        states=names,
        channels=names,
        state_channels=np.arange(len(used), dtype=np.int64),
    )


def _count_states(journeys: Journeys, counts: Integers) -> Journeys:
    """Return the journeys with a state for each channel and count."""
    base = int(counts.max()) + 1
    pairs, steps = np.unique(journeys.steps * base + counts, return_inverse=True)
    return replace(
        journeys,
        steps=steps.astype(np.int64),
        states=tuple(f"{journeys.channels[pair // base]} ({pair % base})" for pair in pairs),
        state_channels=pairs // base,
    )
