"""Journeys for the tests of attribution: of rows, and random ones."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from attribution.journeys import Journeys, from_arrays

CHANNELS = ("Direct", "Email", "Paid Search", "Social")


class Journey(NamedTuple):
    """One journey: the touches of a customer before a conversion, or without one."""

    customer: Hashable
    path: tuple[str, ...]
    conversions: int
    weight: float = 1.0


def from_rows(rows: Iterable[Journey]) -> Journeys:
    """Return journeys as arrays."""
    listed = list(rows)
    number: dict[Hashable, int] = {}
    return from_arrays(
        customers=[number.setdefault(row.customer, len(number)) for row in listed],
        lengths=[len(row.path) for row in listed],
        touches=[channel for row in listed for channel in row.path],
        conversions=[row.conversions for row in listed],
        weights=[row.weight for row in listed],
    )


journey_rows = st.lists(
    st.builds(
        Journey,
        customer=st.integers(0, 8),
        path=st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=5).map(tuple),
        conversions=st.integers(0, 1),
        weight=st.sampled_from((0.5, 1.0, 3.0)),
    ),
    min_size=1,
    max_size=12,
)


def independent_journeys(seed: int, journeys: int, channels: int, continues: float = 0.7) -> Journeys:
    """Return journeys of one customer each: independent touches, of which each ends in a conversion at its own rate."""
    generator = np.random.default_rng(seed)
    lengths = generator.geometric(1 - continues, journeys)
    touches = generator.integers(0, channels, lengths.sum())
    last = touches[np.cumsum(lengths) - 1]
    return from_arrays(
        customers=np.arange(journeys),
        lengths=lengths,
        touches=touches,
        conversions=generator.random(journeys) < (last + 1) / (channels + 5),
        channels=[f"channel {number:02d}" for number in range(channels)],
    )
