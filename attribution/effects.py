"""The effects of channels under the models that learn from journeys: the content of `channel_effects`.

In: the journeys of one org and conversion type, and the settings of the models.
Out: one row per model and channel, and the transitions between channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from attribution.bootstrap import RESAMPLES, Interval, removal_effect_interval, resample, shapley_interval
from attribution.chain import Transition, chain_shapes, transitions
from attribution.journeys import Booleans, Floats, Journeys, Transform, transform_paths
from attribution.markov import removal_effects
from attribution.order import choose_order
from attribution.paths import aggregate
from attribution.shapley import ChannelSets, channel_sets, shapley_values

Model = Literal["data_driven", "shapley"]
Method = Literal["exact", "sampled"]


@dataclass(frozen=True, slots=True)
class ChannelEffect:
    """The effect of one channel under one model.

    `effect` is the share of conversions that is lost without the channel (`data_driven`), or the channel's part of the
    conversion rate (`shapley`; negative if journeys with the channel convert less often, which credit counts as 0).
    `low` and `high` are the 2.5 % and 97.5 % quantiles of `resamples` bootstrap resamples by customer. `standard_error`
    is that of sampling permutations, 0 for an exact value. `journeys` and `conversions` are the weights of the journeys
    with the channel.
    """

    model: Model
    channel: str
    effect: float
    low: float
    high: float
    method: Method
    standard_error: float
    markov_order: int | None
    resamples: int
    journeys: float
    conversions: float


@dataclass(frozen=True, slots=True)
class ChannelEffects:
    """The rows of all models, sorted by model and channel, and the transitions of the chain of order 1."""

    rows: list[ChannelEffect]
    transitions: list[Transition]


def channel_effects(
    journeys: Journeys,
    *,
    transform: Transform = "exposure",
    direct: str | None = None,
    order: int | None = None,
    resamples: int = RESAMPLES,
) -> ChannelEffects:
    """Return the effect of each channel that occurs, after the transform of the paths.

    `direct` names the channel to remove from paths that have another one. `order` is the order of the Markov chain, 1
    to 4; without it, cross-validation chooses. Equal journeys give equal bits in any order of rows and with any
    customer keys. Defined results at the edges:

    - Without a journey, there are no rows and no transitions.
    - Without a conversion, all effects, bounds and values are 0.
    - A single channel has the removal effect 1 and the conversion rate as Shapley value.
    - If all journeys convert, the removal effect is the share of journeys that reach the channel.
    - A channel of non-converting journeys alone has the removal effect 0 if no observed transition leads from it to a
      channel of converting journeys. In a chain of order 1, such a transition gives it a small effect.
    """
    table = aggregate(transform_paths(journeys, transform, direct))
    if not table.channels:
        return ChannelEffects([], [])
    order = choose_order(table) if order is None else order
    sets = channel_sets(table)
    shape = chain_shapes(table, order)[order]
    chains, games = resample(table, shape, sets, resamples)
    removal = _Solution("data_driven", removal_effects(chains[0]), removal_effect_interval(chains), markov_order=order)
    values, errors, method, _ = shapley_values(sets, games.converted[0], games.total[0])
    shapley = _Solution("shapley", values, shapley_interval(sets, games, values), method, errors)
    members = _membership(sets)
    return ChannelEffects(
        rows=[
            ChannelEffect(
                model=solution.model,
                channel=channel,
                effect=float(solution.effects[position]),
                low=float(solution.interval.low[position]),
                high=float(solution.interval.high[position]),
                method=solution.method,
                standard_error=0.0 if solution.errors is None else float(solution.errors[position]),
                markov_order=solution.markov_order,
                resamples=solution.interval.resamples,
                journeys=float(games.total[0, members[position]].sum()),
                conversions=float(games.converted[0, members[position]].sum()),
            )
            for solution in (removal, shapley)
            for position, channel in enumerate(table.channels)
        ],
        transitions=transitions(table),
    )


@dataclass(frozen=True, slots=True)
class _Solution:
    """The effects of one model as arrays of channels."""

    model: Model
    effects: Floats
    interval: Interval
    method: Method = "exact"
    errors: Floats | None = None
    markov_order: int | None = None


def _membership(sets: ChannelSets) -> list[Booleans]:
    """Return, for each channel, which channel sets contain it."""
    count = len(sets.starts) - 1
    set_of_member = np.repeat(np.arange(count), np.diff(sets.starts))
    return [np.isin(np.arange(count), set_of_member[sets.members == channel]) for channel in range(sets.channels)]
