"""Removal effects: the share of conversions that is lost without a channel.

In: `Chain`. Out: the effect of each channel.

Removing a channel redirects each transition that enters it to null; see Anderl et al. (2016) in chain.py. In a chain of
a higher order, these are the transitions into all states whose last channel it is.
"""

from __future__ import annotations

import numpy as np

from attribution.chain import Chain
from attribution.elimination import effects_by_elimination
from attribution.iteration import effects_by_iteration
from attribution.journeys import Floats

DENSE_STATES = 128  # up to which elimination is faster than iteration


def removal_effects(chain: Chain) -> Floats:
    """Return the removal effect of each channel: 1 - P(conversion without the channel) / P(conversion).

    Both probabilities are solutions of linear systems, not simulations. Up to `DENSE_STATES` states, elimination solves
    them to machine precision; more states are solved by iteration until the error is below 1e-13. Without a
    conversion, all effects are 0.
    """
    if not chain.conversions.any():
        return np.zeros(len(chain.channels))
    if len(chain.conversions) <= DENSE_STATES:
        return np.asarray(effects_by_elimination([chain])[0])
    return effects_by_iteration(chain).effects
