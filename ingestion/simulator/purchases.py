"""Decide which visits lead to an order, and why: the ground truth.

In: people, visits and the calendar. Out: the visits, with those that only place an order, and the causes of each.

The truth is exact, not estimated. At a visit, a person has one chance to decide to buy without marketing, and one for
each campaign: the lift of its earlier touches, which halves every week. Each chance is drawn separately. A campaign has
caused an order if only its draw succeeded: without its lift, exactly these orders are missing. The visit that places
the order comes after the decision, so its campaign has no part in it.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from ingestion.simulator.calendar_days import BROKEN_SITE, WEEK, Array, Calendar
from ingestion.simulator.campaigns import BASELINE
from ingestion.simulator.visits import BLOG, COMPUTER, DIRECT, HOUR, PHONE, People, choose_sources, day_of
from ingestion.simulator.world import SITES, TRAFFIC_SOURCES

HALF_LIFE = WEEK * 86_400  # of a touch's lift, in seconds
PROMOTION_INTENT, PROMOTION_BASKET = 1.35, 0.85  # factors in the promotion
DEVICE_INTENT = np.array([0.85, 1.25])  # PHONE, COMPUTER
CLOSES_LATER = 0.5  # share of the orders that a visit of their own places, a few hours after the decision
FAILS = 0.95  # share of the orders on phones that the broken checkout loses
OFFLINE = 0.1  # share of the orders of people with an account that are placed by phone or in a shop
MEAN_ORDER = np.array([92.0, 84.0])  # units of each org's currency
CAUSES = ["(baseline)", *dict.fromkeys(source.group for source in TRAFFIC_SOURCES if source.lift)]

_BITS = 1 << np.arange(len(CAUSES), dtype=np.int64)
_CAUSE = np.array([CAUSES.index(source.group) if source.lift else 0 for source in TRAFFIC_SOURCES])
_LIFT = np.array([source.lift for source in TRAFFIC_SOURCES])
_BASKET = np.array([source.basket for source in TRAFFIC_SOURCES])
_IS_CART = np.array([source.campaign == "abandoned_cart" for source in TRAFFIC_SOURCES])


def decide(rng: np.random.Generator, people: People, visits: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    """Return the visits, with those that only place an order, sorted by person and time.

    New columns: `wants` (the visit tries to place an order), `converts` (it succeeds), `lost` (the checkout fails),
    `offline`, `causes` (a bit for each of CAUSES whose draw succeeded), `cents`, `events`, and whether the person is
    known. `causes` and `cents` have no meaning where the visit places no order.
    """
    person, device, org, day = (visits[name].to_numpy() for name in ("person", "device", "org", "day"))
    size, promoted = len(visits), calendar.promoted[day]
    intent = people.intent[person] * DEVICE_INTENT[device] * np.where(promoted, PROMOTION_INTENT, 1)
    drawn = _draw(rng, visits, intent)
    # A lognormal distribution with mean 1
    order = rng.lognormal(-0.18, 0.6, size) * MEAN_ORDER[org] * _BASKET[people.first_source[person]]
    order = order * np.where(promoted, PROMOTION_BASKET, 1)
    decided = visits.with_columns(
        wants=pl.Series(drawn.any(axis=1)),
        causes=pl.Series(drawn @ _BITS),
        cents=pl.Series(np.rint(order * 100).astype(int) + 99),
        would_fail=pl.Series(rng.random(size) < FAILS),
        by_phone=pl.Series(rng.random(size) < OFFLINE),
    )
    closing = _closing_visits(rng, people, decided, calendar)
    is_later = decided["wants"].to_numpy() & (visits["site"].to_numpy() != BLOG) & (rng.random(size) < CLOSES_LATER)
    is_later &= ~visits["continues"].shift(-1, fill_value=False).to_numpy()
    is_later &= closing["end"].to_numpy() < calendar.begins[org, -1]
    decided = decided.with_columns(wants=pl.col("wants") & ~pl.Series(is_later))
    both = pl.concat([decided, closing.filter(pl.Series(is_later))], how="vertical_relaxed").sort("person", "time")
    return _outcomes(people, both, calendar)


def _draw(rng: np.random.Generator, visits: pl.DataFrame, intent: Array) -> Array:
    """Return which of CAUSES decide each visit: [visit, cause]."""
    person, time, source = (visits[name].to_numpy() for name in ("person", "time", "traffic_source"))
    rank = visits.select(pl.int_range(pl.len()).over("person")).to_series().to_numpy()
    uniform = rng.random((len(visits), len(CAUSES)), dtype=np.float32)
    drawn = np.zeros(uniform.shape, dtype=bool)
    stock = np.zeros((int(person.max()) + 1, len(CAUSES)), dtype=np.float32)  # lift of the earlier touches
    since = np.zeros(len(stock))
    for number in range(int(rank.max()) + 1):
        rows = np.flatnonzero(rank == number)
        who = person[rows]
        mine = stock[who] * (0.5 ** ((time[rows] - since[who]) / HALF_LIFE))[:, None].astype(np.float32)
        mine[np.arange(len(rows)), _CAUSE[source[rows]]] += _LIFT[source[rows]]
        stock[who], since[who] = mine, time[rows]
        mine[:, 0] = BASELINE
        drawn[rows] = uniform[rows] < mine * intent[rows, None]
        stock[who, 0] = 0
    return drawn


def _closing_visits(
    rng: np.random.Generator, people: People, decided: pl.DataFrame, calendar: Calendar
) -> pl.DataFrame:
    """Return, for every visit, the visit that would place its order: soon after, often through a brand search."""
    person, org, size = decided["person"].to_numpy(), decided["org"].to_numpy(), len(decided)
    source = choose_sources(rng, org, "closing_weight")
    source = np.where(_IS_CART[source] & ~people.has_account[person], DIRECT[org], source)
    time = decided["end"].to_numpy() + rng.integers(int(0.6 * HOUR), 4 * HOUR, size)
    chance = rng.random(size)
    device = decided["device"].to_numpy()
    other = np.where(device == PHONE, people.has_computer[person], people.has_phone[person]) & (chance < 0.4)
    dwell = rng.integers(12, 90, size)
    pages = rng.integers(2, 5, size)
    return decided.with_columns(
        traffic_source=pl.Series(source),
        time=pl.Series(time),
        day=pl.Series(day_of(calendar, org, time)),
        end=pl.Series(time + (pages + 4) * dwell),
        device=pl.Series(np.where(other, PHONE + COMPUTER - device, device)),
        pages=pl.Series(pages),
        dwell=pl.Series(dwell),
        continues=pl.lit(False),
        sending=pl.lit(None, pl.Int64),
    )


def _outcomes(people: People, visits: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    """Add whether each order succeeds, and what follows from it."""
    names = ("person", "wants", "site", "device", "would_fail", "by_phone")
    person, wants, site, device, would_fail, by_phone = (visits[name].to_numpy() for name in names)
    at_fault = site == [each["id"] for each in SITES].index(BROKEN_SITE)
    at_fault = at_fault & (device == PHONE) & calendar.broken[visits["day"].to_numpy()]
    lost = wants & at_fault & would_fail
    converts = wants & ~lost
    offline = converts & people.has_account[person] & (site != BLOG) & by_phone
    pages = np.where(wants, np.maximum(visits["pages"].to_numpy(), 2), visits["pages"].to_numpy())
    # People subscribe at their first visit, with an account.
    is_first = visits.select(pl.int_range(pl.len()).over("person") == 0).to_series().to_numpy()
    logs_in = (
        visits["logs_in"].to_numpy() | (is_first & people.subscribes[person]) | (wants & people.has_account[person])
    )
    known = pl.col("logs_in").shift(1, fill_value=False).cum_max().over("person", "device")
    return visits.with_columns(
        pages=pl.Series(pages),
        events=pl.Series(pages + lost + 2 * converts + 2 * (converts & ~offline)),
        converts=pl.Series(converts),
        lost=pl.Series(lost),
        offline=pl.Series(offline),
        has_account=pl.Series(people.has_account[person]),
        logs_in=pl.Series(logs_in),
    ).with_columns(is_known=known)
