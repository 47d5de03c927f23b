"""Visitors of the simulated world: a random generator and a period -> one row a visit.

A visit has its lane, its time, and whether (and because of what) it converts; `simulate_rows` makes it rows.

The ground truth is exact, not estimated. At a visit a person has one chance to convert without marketing,
and one for each channel: the lift of the touches so far, halved every week. Each is drawn by itself, and a
channel has caused a conversion if its draw alone succeeded: take its lift away, and exactly the conversions
that it caused do not happen.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from ingestion.simulator.world import BASELINE, CHANNELS, LANES, LIFT, ORGS

MOST_VISITS = 12  # a person
HOUR, WEEK = 3_600, 7 * 86_400  # seconds
HALF_LIFE = WEEK  # of a touch's lift
BY_WEEKDAY = np.array([1.05, 1.0, 1.0, 1.0, 0.9, 0.95, 1.15])  # Monday first
BY_HOUR = np.array([2, 1, 1, 1, 1, 2, 4, 6, 7, 8, 8, 9, 10, 9, 8, 8, 8, 9, 10, 12, 13, 12, 8, 4])
RUSH, OFFERS = 1.5, 1.25  # how much busier, and how much readier to buy, the promotion week is
MEAN_ORDER = 92.0  # units of the org's currency
SHOP_OF_ORG, BLOG = np.array([0, 2]), 1  # positions in SITES
BLOGGED = {"Organic Search": 0.5, "Referral": 0.5, "Organic Social": 0.6, "Organic Video": 0.5, "Email": 0.2}

CAUSES = ["(baseline)", *CHANNELS, "(several)"]  # several: none of the channels alone was needed

_CHANNEL = np.array([CHANNELS.index(lane.channel) for lane in LANES])
_LIFT = np.array(list(LIFT.values()))
_QUALITY = np.array([lane.quality for lane in LANES])
_BASKET = np.array([lane.basket for lane in LANES])
_TAGGED = np.array([lane.medium != "" for lane in LANES])
_BLOG_SHARE = np.array([BLOGGED.get(lane.channel, 0.0) * (lane.org == ORGS[0]["id"]) for lane in LANES])


def midnights(start: date, days: int) -> np.ndarray:
    """Epoch seconds at which each reporting day of each org begins: [org, day], and one day more."""
    zones = [ZoneInfo(org["timezone"]) for org in ORGS]
    each = [start + timedelta(day) for day in range(days + 1)]
    return np.array(
        [[datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() for day in each] for zone in zones]
    )


def visits(rng: np.random.Generator, start: date, days: int, events: int) -> pl.DataFrame:
    """Every visit of enough people to make `events` web events; sorted by person and time."""
    people = events // 3 + 10  # too many, as people make more than six events on average: the rest is cut off
    begins, each = midnights(start, days), np.arange(people)
    promoted = (np.arange(days) - days // 2) // 7 == 0  # a week in the middle
    weekday = [(start + timedelta(day)).weekday() for day in range(days)]
    busy = BY_WEEKDAY[weekday] * np.where(promoted, RUSH, 1)

    org = (rng.random(people) < 0.4).astype(int)
    has_account, has_second_device = rng.random(people) < 0.55, rng.random(people) < 0.3
    loyalty = rng.beta(2.2, 1.8, people)
    came_by = _lanes(rng, org, "new")
    intent = rng.gamma(1.5, 1 / 1.5, people) * _QUALITY[came_by]
    first_day = rng.choice(days, people, p=busy / busy.sum())
    stock = np.zeros((people, len(CHANNELS)))  # lift that is still at work
    known = np.zeros((people, 2), dtype=bool)  # logged in on this device
    here, drawn, last = np.ones(people, dtype=bool), [], None
    for _ in range(MOST_VISITS):
        second = rng.choice(24, people, p=BY_HOUR / BY_HOUR.sum()) * HOUR + rng.integers(0, HOUR, people)
        if last is None:
            lane, day, follows = came_by, first_day, np.zeros(people, dtype=bool)
            time = begins[org, day] + second
        else:
            lane = _lanes(rng, org, "back")
            here = here & (rng.random(people) < loyalty)
            how = rng.random(people)
            # Some click another campaign while still on the site: the same session, one more touch.
            follows = (how < 0.03) & (lane != last["lane"]) & _TAGGED[lane]
            same_day = ~follows & (how < 0.15)
            stays = follows | same_day
            day = np.minimum(last["day"] + np.where(stays, 0, rng.geometric(0.17, people)), days)
            soon = last["end"] + np.where(follows, 60, 1.2 * HOUR + rng.integers(0, 5 * HOUR, people))
            time = np.where(stays, soon, np.maximum(begins[org, day] + second, last["end"] + HOUR))
        here = here & (time < begins[org, days] - 2 * HOUR)
        day = np.minimum(day, days - 1)
        site = np.where(rng.random(people) < _BLOG_SHARE[lane], BLOG, SHOP_OF_ORG[org])
        device = (has_second_device & (rng.random(people) < 0.4)).astype(int)
        if last is not None:
            site, device = np.where(follows, last["site"], site), np.where(follows, last["device"], device)
            stock *= 0.5 ** ((time - last["time"]) / HALF_LIFE)[:, None]
        stock[each, _CHANNEL[lane]] += _LIFT[_CHANNEL[lane]]

        cause = _causes(rng, stock, intent * np.where(promoted[day], OFFERS, 1))
        converts = cause < len(CAUSES)
        offline = converts & has_account & (site != BLOG) & (rng.random(people) < 0.1)
        login = has_account & ~known[each, device] & ((rng.random(people) < 0.25) | converts)
        pages = rng.geometric(0.40, people).clip(1, 12)
        dwell = rng.integers(12, 150, people)  # seconds a page
        # A lognormal whose mean is 1.
        order = rng.lognormal(-0.18, 0.6, people) * MEAN_ORDER * _BASKET[came_by]
        last = {
            "person": each,
            "org": org,
            "site": site,
            "lane": lane,
            "time": time,
            "day": day,
            "dwell": dwell,
            "end": time + (pages + 4) * dwell,
            "device": device,
            "follows": follows,
            "converts": converts,
            "offline": offline,
            "cause": cause,
            "events": pages + 2 * converts + 2 * (converts & ~offline),
            "has_account": has_account,
            "knows": known[each, device].copy(),
            "login": login,
            "here": here,
            "cents": np.rint(order * 100).astype(int) + 99,
        }
        drawn.append(last)
        known[each, device] |= login
    table = pl.concat([pl.DataFrame(visit) for visit in drawn]).filter("here").sort("person", "time")
    last_person = pl.col("person").filter(pl.col("events").cum_sum() >= events).min().fill_null(people)
    return table.filter(pl.col("person") <= last_person).drop("here", "end", "day")


def _lanes(rng: np.random.Generator, org: np.ndarray, weight: str) -> np.ndarray:
    """A lane of its own org for each person; `weight` is "new" for a first visit, "back" for a later one."""
    lane = np.empty(len(org), dtype=int)
    for index, each in enumerate(ORGS):
        chance = np.array([getattr(lane, weight) * (lane.org == each["id"]) for lane in LANES])
        lane[org == index] = rng.choice(len(LANES), (org == index).sum(), p=chance / chance.sum())
    return lane


def _causes(rng: np.random.Generator, stock: np.ndarray, readiness: np.ndarray) -> np.ndarray:
    """Why each person converts now, as a position in CAUSES; len(CAUSES) for those who do not."""
    chances = np.column_stack([np.full(len(stock), BASELINE), stock]) * readiness[:, None]
    drawn = rng.random(chances.shape) < chances
    anyway, by_channels = drawn[:, 0], drawn[:, 1:].sum(axis=1)
    alone = np.choose(by_channels.clip(0, 2), [len(CAUSES), drawn[:, 1:].argmax(axis=1) + 1, len(CAUSES) - 1])
    return np.where(anyway, 0, alone)
