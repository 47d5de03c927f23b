"""Simulate the visits of people, and the causes of their conversions.

In: a random generator and a period. Out: one row for each visit: its traffic source, its time, whether it converts and
why. input_rows.py turns visits into input rows.

The ground truth is exact, not estimated. At a visit, a person has one chance to convert without marketing, and one for
each channel: the lift of all earlier touches, which halves every week. Each chance is drawn separately. A channel has
caused a conversion if only its draw succeeded: without its lift, exactly these conversions are missing.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from ingestion.simulator.world import BASELINE, CHANNELS, LIFT, ORGS, TRAFFIC_SOURCES

MAX_VISITS = 12  # of a person
Array = np.ndarray[Any, np.dtype[Any]]
HOUR, WEEK = 3_600, 7 * 86_400  # seconds
HALF_LIFE = WEEK  # of a touch's lift
BY_WEEKDAY = np.array([1.05, 1.0, 1.0, 1.0, 0.9, 0.95, 1.15])  # Monday first
BY_HOUR = np.array([2, 1, 1, 1, 1, 2, 4, 6, 7, 8, 8, 9, 10, 9, 8, 8, 8, 9, 10, 12, 13, 12, 8, 4])
PROMOTION_TRAFFIC, PROMOTION_INTENT = 1.5, 1.25  # factors of the promotion week
MEAN_ORDER = 92.0  # units of the org's currency
SHOP_OF_ORG, BLOG = np.array([0, 2]), 1  # positions in SITES
BLOG_SHARES = {"Organic Search": 0.5, "Referral": 0.5, "Organic Social": 0.6, "Organic Video": 0.5, "Email": 0.2}

CAUSES = ["(baseline)", *CHANNELS, "(several)"]  # several: more than one channel would have been enough

_CHANNEL = np.array([CHANNELS.index(source.channel) for source in TRAFFIC_SOURCES])
_LIFT = np.array(list(LIFT.values()))
_QUALITY = np.array([source.quality for source in TRAFFIC_SOURCES])
_BASKET = np.array([source.basket for source in TRAFFIC_SOURCES])
_HAS_PARAMETERS = np.array([source.medium != "" for source in TRAFFIC_SOURCES])
_BLOG_SHARE = np.array(
    [BLOG_SHARES.get(source.channel, 0.0) * (source.org == ORGS[0]["id"]) for source in TRAFFIC_SOURCES]
)


def day_starts(start: date, days: int) -> Array:
    """Return the epoch second at which each org's reporting days begin: [org, day], with the day after the last."""
    zones = [ZoneInfo(org["timezone"]) for org in ORGS]
    each = [start + timedelta(day) for day in range(days + 1)]
    return np.array(
        [[datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() for day in each] for zone in zones]
    )


def simulate_visits(rng: np.random.Generator, start: date, days: int, events: int) -> pl.DataFrame:
    """Return the visits of so many people that they make `events` web events, sorted by person and time."""
    people = events // 3 + 10  # more than enough: a person makes more than six events on average
    begins, everyone = day_starts(start, days), np.arange(people)
    promoted = (np.arange(days) - days // 2) // 7 == 0  # a week in the middle
    weekday = [(start + timedelta(day)).weekday() for day in range(days)]
    busy = BY_WEEKDAY[weekday] * np.where(promoted, PROMOTION_TRAFFIC, 1)

    org = (rng.random(people) < 0.4).astype(int)
    has_account, has_second_device = rng.random(people) < 0.55, rng.random(people) < 0.3
    loyalty = rng.beta(2.2, 1.8, people)
    first_source = _choose_sources(rng, org, "first_weight")
    intent = rng.gamma(1.5, 1 / 1.5, people) * _QUALITY[first_source]
    first_day = rng.choice(days, people, p=busy / busy.sum())
    stock = np.zeros((people, len(CHANNELS)))  # lift of the earlier touches
    known = np.zeros((people, 2), dtype=bool)  # logged in on this device
    is_active, drawn = np.ones(people, dtype=bool), []
    last: dict[str, Array] | None = None
    for _ in range(MAX_VISITS):
        second = rng.choice(24, people, p=BY_HOUR / BY_HOUR.sum()) * HOUR + rng.integers(0, HOUR, people)
        if last is None:
            source, day, continues = first_source, first_day, np.zeros(people, dtype=bool)
            time = begins[org, day] + second
        else:
            source = _choose_sources(rng, org, "return_weight")
            is_active = is_active & (rng.random(people) < loyalty)
            chance = rng.random(people)
            # Some click another campaign while they are on the site: one more touch in the same session.
            continues = (chance < 0.03) & (source != last["traffic_source"]) & _HAS_PARAMETERS[source]
            returns_same_day = ~continues & (chance < 0.15)
            is_soon = continues | returns_same_day
            day = np.minimum(last["day"] + np.where(is_soon, 0, rng.geometric(0.17, people)), days)
            soon = last["end"] + np.where(continues, 60, 1.2 * HOUR + rng.integers(0, 5 * HOUR, people))
            time = np.where(is_soon, soon, np.maximum(begins[org, day] + second, last["end"] + HOUR))
        is_active = is_active & (time < begins[org, days] - 2 * HOUR)
        day = np.minimum(day, days - 1)
        site = np.where(rng.random(people) < _BLOG_SHARE[source], BLOG, SHOP_OF_ORG[org])
        device = (has_second_device & (rng.random(people) < 0.4)).astype(int)
        if last is not None:
            site, device = np.where(continues, last["site"], site), np.where(continues, last["device"], device)
            stock *= 0.5 ** ((time - last["time"]) / HALF_LIFE)[:, None]
        stock[everyone, _CHANNEL[source]] += _LIFT[_CHANNEL[source]]

        cause = _draw_causes(rng, stock, intent * np.where(promoted[day], PROMOTION_INTENT, 1))
        converts = cause < len(CAUSES)
        offline = converts & has_account & (site != BLOG) & (rng.random(people) < 0.1)
        logs_in = has_account & ~known[everyone, device] & ((rng.random(people) < 0.25) | converts)
        pages = rng.geometric(0.40, people).clip(1, 12)
        dwell = rng.integers(12, 150, people)  # seconds on each page
        # A lognormal distribution with mean 1
        order = rng.lognormal(-0.18, 0.6, people) * MEAN_ORDER * _BASKET[first_source]
        last = {
            "person": everyone,
            "org": org,
            "site": site,
            "traffic_source": source,
            "time": time,
            "day": day,
            "dwell": dwell,
            "end": time + (pages + 4) * dwell,
            "device": device,
            "continues": continues,
            "converts": converts,
            "offline": offline,
            "cause": cause,
            "events": pages + 2 * converts + 2 * (converts & ~offline),
            "has_account": has_account,
            "is_known": known[everyone, device].copy(),
            "logs_in": logs_in,
            "is_active": is_active,
            "cents": np.rint(order * 100).astype(int) + 99,
        }
        drawn.append(last)
        known[everyone, device] |= logs_in
    table = pl.concat([pl.DataFrame(visit) for visit in drawn]).filter("is_active").sort("person", "time")
    last_person = pl.col("person").filter(pl.col("events").cum_sum() >= events).min().fill_null(people)
    return table.filter(pl.col("person") <= last_person).drop("is_active", "end", "day")


def _choose_sources(rng: np.random.Generator, org: Array, weight: str) -> Array:
    """Choose a traffic source of each person's org. weight: the field of TrafficSource that weighs them."""
    chosen = np.empty(len(org), dtype=int)
    for index, entry in enumerate(ORGS):
        chance = np.array([getattr(source, weight) * (source.org == entry["id"]) for source in TRAFFIC_SOURCES])
        chosen[org == index] = rng.choice(len(TRAFFIC_SOURCES), (org == index).sum(), p=chance / chance.sum())
    return chosen


def _draw_causes(rng: np.random.Generator, stock: Array, intent: Array) -> Array:
    """Return why each person converts now, as a position in CAUSES; len(CAUSES) for those who do not."""
    chances = np.column_stack([np.full(len(stock), BASELINE), stock]) * intent[:, None]
    drawn = rng.random(chances.shape) < chances
    anyway, by_channels = drawn[:, 0], drawn[:, 1:].sum(axis=1)
    alone = np.choose(by_channels.clip(0, 2), [len(CAUSES), drawn[:, 1:].argmax(axis=1) + 1, len(CAUSES) - 1])
    return np.asarray(np.where(anyway, 0, alone))
