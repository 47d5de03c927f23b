"""Simulate journeys with a known half-life. In: a seed, the half-life. Out: the columns of fit_half_life."""

from __future__ import annotations

import numpy as np

WINDOW = 60.0  # days


def simulated(seed: int, half_life: float, journeys: int = 4_000, base: float = 0.001, touch: float = 0.02) -> dict:
    """Return journeys whose touches add `touch` per day, halved each half-life, to a constant rate of conversions.

    The first event of independent processes is drawn: that of the constant rate, and one per touch.
    """
    generator = np.random.default_rng(seed)
    lengths, ages, conversions = [], [], []
    expected = touch * half_life / np.log(2)  # conversions per touch, without an end
    for count in 1 + generator.poisson(2, journeys):
        touches = np.sort(np.append(generator.uniform(0, WINDOW / 2, count - 1), 0.0))
        drawn = generator.exponential(1.0, count) / expected
        own = np.where(drawn < 1, touches - half_life * np.log2(1 - np.minimum(drawn, 1 - 1e-16)), np.inf)
        end = min(WINDOW, generator.exponential(1 / base) if base else np.inf)
        for at, conversion in zip(touches, own, strict=True):
            if at < end:
                end = min(end, conversion)
        seen = touches[touches <= end]
        lengths.append(len(seen))
        ages.append(end - seen)
        conversions.append(int(end < WINDOW))
    return {"lengths": lengths, "ages": np.concatenate(ages), "conversions": conversions}
