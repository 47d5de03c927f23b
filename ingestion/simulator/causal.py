"""Generate journeys with known causes, so that the credit of attribution models can be compared with the truth.

In: a scenario, a number of people and a seed. Out: touches and conversions in the columns of the input contracts, and
the contribution of each channel.

In each round, each channel touches a person with a chance, its `reach`. Each touch makes the person buy with another
chance, its `lift`, and some people buy without marketing. All these draws are independent, and a person buys once:

    P(purchase | touches) = 1 - (1 - organic) * product over touches of (1 - lift of the touch's channel)

The contribution of a channel is the number of expected purchases that are missing if the channel does not exist. Both
worlds share all random numbers. The difference is therefore exact for the generated people, and only touches of the
channel, and touches that it started, can cause it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from ingestion.simulator.benchmark_data import write_table
from ingestion.simulator.scenarios import Scenario

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ROUNDS = 5
ROUND_DAYS = 4
START_DAYS = 60  # people begin within this period
BEGAN = np.datetime64("2026-07-01", "ms")
BUYERS = 0.05  # share of people who intend to buy anyway
ORGANIC, ORGANIC_OF_BUYERS = 0.003, 0.5  # chance to buy without marketing
DAY_MS = 86_400_000
BASELINE = "(baseline)"


class Truth(NamedTuple):
    """Expected purchases: with all channels, without any, and lost by removing one channel."""

    total: float
    baseline: float
    lost: dict[str, float]

    def shares(self) -> dict[str, float]:
        """Return the true share of the baseline and of each channel; they sum to 1.

        The losses of single channels can sum to more or less than marketing caused: a purchase with two causes is lost
        with neither, and a purchase of a started journey is lost with both. They are scaled to that sum.
        """
        caused = 1 - self.baseline / self.total
        losses = sum(self.lost.values())
        return {BASELINE: 1 - caused, **{name: caused * lost / losses for name, lost in self.lost.items()}}


class Market:
    """The people of a scenario and all random numbers of their journeys, in arrays of people x rounds x channels."""

    def __init__(self, scenario: Scenario, *, people: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        shape = people, ROUNDS, len(scenario.channels)
        self.scenario, self.seed = scenario, seed
        self.is_buyer = rng.random(people) < BUYERS
        self.organic_chance = np.where(self.is_buyer, ORGANIC_OF_BUYERS, ORGANIC)
        self.organic_draw, self.organic_day = rng.random(people), rng.random(people) * ROUNDS * ROUND_DAYS
        self.reach_draw, self.lift_draw = rng.random(shape), rng.random(shape)
        self.day = (rng.random(shape) + np.arange(ROUNDS)[:, None]) * ROUND_DAYS  # of a touch, from the person's start
        self.start_day, self.delay = rng.random(people) * START_DAYS, rng.random(people)
        self.closing_draw, self.closing_minutes = rng.random(people), rng.uniform(1, 30, people)

    def touches(self, removed: Collection[str] = ()) -> Flags:
        """Return which touches happen if the removed channels do not exist and nobody stops after a purchase."""
        channels = self.scenario.channels
        exists = np.array([channel.name not in removed for channel in channels])
        usual = np.array([channel.reach for channel in channels])
        of_buyers = np.array([channel.buyer_reach for channel in channels])
        reach = np.where(self.is_buyer[:, None], of_buyers, usual) * exists
        factors = np.log([channel.starts for channel in channels])[:, None] * ~np.eye(len(channels), dtype=bool)
        touched = np.zeros(self.reach_draw.shape, bool)
        started = np.zeros(reach.shape, bool)
        for number in range(ROUNDS):
            touched[:, number] = self.reach_draw[:, number] < reach * np.exp(started @ factors)
            started |= touched[:, number]
        return touched

    def chances(self, removed: Collection[str] = ()) -> Floats:
        """Return each person's chance to buy, given the touches that happen without the removed channels."""
        resisted = np.prod((1 - self._lift()) ** self.touches(removed).sum(axis=1), axis=1)
        chances: Floats = 1 - (1 - self.organic_chance) * resisted
        return chances

    def truth(self) -> Truth:
        """Return the contribution of each marketing channel."""
        total = float(self.chances().sum())
        marketing = self.scenario.marketing
        lost = {name: total - float(self.chances([name]).sum()) for name in marketing}
        return Truth(total, float(self.chances(marketing).sum()), lost)

    def purchase_days(self, removed: Collection[str] = ()) -> Floats:
        """Return the day of each person's purchase, from the person's start; infinity without a purchase."""
        succeeds = self.touches(removed) & (self.lift_draw < self._lift())
        persuaded = np.where(succeeds, self.day, np.inf).min(axis=(1, 2))
        organic = np.where(self.organic_draw < self.organic_chance, self.organic_day, np.inf)
        days: Floats = np.minimum(persuaded, organic) + self.delay
        return days

    def tables(self, site_id: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the interactions and the conversions. A person's touches end with the purchase."""
        bought_day = self.purchase_days()
        person, number, channel = np.nonzero(self.touches() & (self.day < bought_day[:, None, None]))
        buyer = np.flatnonzero(np.isfinite(bought_day))
        shares = np.cumsum([channel.closing for channel in self.scenario.channels])
        closing = np.searchsorted(shares, self.closing_draw[buyer], side="right")
        closes = closing < len(shares)
        closed = buyer[closes]
        persons = np.concatenate([person, closed])
        days = np.concatenate(
            [self.day[person, number, channel], bought_day[closed] - self.closing_minutes[closed] / 1440]
        )
        names = np.array([channel.name for channel in self.scenario.channels])
        touches = pl.DataFrame(
            {
                "interaction_id": np.arange(len(persons)),
                "occurred_at": self._time(persons, days),
                "customer_id": persons,
                "touch_type": "click",
                "site_id": site_id,
                "channel": names[np.concatenate([channel, closing[closes]])],
            }
        ).with_columns(interaction_id=pl.format("i{}", "interaction_id"), customer_id=pl.format("c{}", "customer_id"))
        conversions = pl.DataFrame(
            {
                "conversion_id": buyer,
                "occurred_at": self._time(buyer, bought_day[buyer]),
                "customer_id": buyer,
                "site_id": site_id,
                "value": "50",
            }
        ).with_columns(conversion_id=pl.format("s{}", "conversion_id"), customer_id=pl.format("c{}", "customer_id"))
        return touches, conversions

    def _lift(self) -> Floats:
        return np.array([channel.lift for channel in self.scenario.channels])

    def _time(self, person: npt.NDArray[np.int64], day: Floats) -> pl.Series:
        milliseconds = ((self.start_day[person] + day) * DAY_MS).astype(np.int64) + BEGAN.astype(np.int64)
        return pl.Series(milliseconds).cast(pl.Datetime("ms", "UTC"))


def write_markets(inbox: Path, markets: dict[str, Market]) -> None:
    """Write the files of several markets into an inbox. The key is the site of a market."""
    tables = [market.tables(site_id) for site_id, market in markets.items()]
    for kind, parts in zip(("interactions", "conversions"), zip(*tables, strict=True), strict=True):
        write_table(inbox / kind / "causal.parquet", pl.concat(parts).lazy())


def market_settings(multipliers: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Return the settings of markets from the multipliers of their channels, which experiments measured.

    Each market is an org and a site of the same id, which keeps their journeys apart.
    """
    return {
        "orgs": [{"id": name, "currency": "USD"} for name in multipliers],
        "sites": [{"id": name, "org": name} for name in multipliers],
        "experiments": [
            {"org": name, "channel": channel, "multiplier": round(multiplier, 3)}
            for name, measured in multipliers.items()
            for channel, multiplier in measured.items()
        ],
    }
