"""Simulate a holdout experiment for each marketing channel of a market.

In: a market. Out: the multiplier of each channel, with the sampling error that the experiment has.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from ingestion.simulator.causal import Market


def measured_multipliers(market: Market) -> dict[str, float]:
    """Return the incremental conversions of each channel for each conversion that linear attribution gives it.

    Half of the people, another half for each channel, see no touch of the channel. The incremental conversions are the
    difference between the purchases of the halves: an experiment knows no more. A channel that seems to prevent
    purchases gets 0.
    """
    touches = credited_touches(market)
    bought = np.isfinite(market.purchase_days())
    found = {}
    for number, channel in enumerate(market.scenario.marketing):
        is_held_out = (np.arange(len(bought)) >> number & 1).astype(bool)
        without = np.isfinite(market.purchase_days([channel]))
        incremental = int(bought[~is_held_out].sum()) - int(without[is_held_out].sum())
        credit = touches.filter(pl.col("channel") == channel, ~pl.lit(is_held_out).gather(pl.col("person")))
        if len(credit):
            found[channel] = max(incremental / float(credit["credit"].sum()), 0)
    return found


def credited_touches(market: Market) -> pl.DataFrame:
    """Return the person, the channel and the linear credit of each touch before a purchase."""
    touches, conversions = market.tables("")
    return touches.join(conversions, on="customer_id", how="semi").select(
        "channel",
        credit=1 / pl.len().over("customer_id"),
        person=pl.col("customer_id").str.slice(1).cast(pl.Int64),
    )
