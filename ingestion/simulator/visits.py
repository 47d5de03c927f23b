"""Simulate who visits the shops when, and through which traffic source. Purchases do not change it.

In: a random generator and the calendar. Out: people, and a table of their visits in order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from ingestion.simulator.calendar_days import Array, Calendar
from ingestion.simulator.campaigns import RATES
from ingestion.simulator.world import ORGS, TRAFFIC_SOURCES

MAX_VISITS = 12  # of a person, without those that follow a sending
HOUR = 3_600
GAP = 5 * HOUR  # least time between two visits of a person, so that a visit that places an order has room
MEAN_PAUSE = 5.9  # usual days between two visits
BY_HOUR = np.array([2, 1, 1, 1, 1, 2, 4, 6, 7, 8, 8, 9, 10, 9, 8, 8, 8, 9, 10, 12, 13, 12, 8, 4])
SHOP_OF_ORG, BLOG = np.array([0, 2]), 1  # positions in SITES
BLOG_SHARES = {"Organic Search": 0.4, "Referral": 0.4, "Organic Social": 0.5, "Organic Video": 0.4}
PHONE, COMPUTER = 0, 1

ORG_OF_SOURCE = np.array([[org["id"] for org in ORGS].index(source.org) for source in TRAFFIC_SOURCES])
_QUALITY = np.array([source.quality for source in TRAFFIC_SOURCES])
_PHONES = np.array([RATES[source.channel].phones for source in TRAFFIC_SOURCES])
_BOUNCES = np.array([RATES[source.channel].bounces for source in TRAFFIC_SOURCES])
_HAS_PARAMETERS = np.array([source.medium != "" for source in TRAFFIC_SOURCES])
_BLOG_SHARE = np.array(
    [BLOG_SHARES.get(source.channel, 0.0) * (source.org == ORGS[0]["id"]) for source in TRAFFIC_SOURCES]
)
_CART = np.array([source.campaign == "abandoned_cart" for source in TRAFFIC_SOURCES])
DIRECT = np.array(
    [next(i for i, s in enumerate(TRAFFIC_SOURCES) if s.group == (org["id"], "Direct", "")) for org in ORGS]
)


class People(NamedTuple):
    """One value for each person."""

    org: Array
    first_source: Array
    intent: Array  # mean 1; scales the probability to buy
    has_account: Array
    subscribes: Array  # to e-mail, at the first visit
    takes_sms: Array
    has_app: Array
    has_phone: Array
    has_computer: Array


def simulate_people(rng: np.random.Generator, count: int) -> People:
    """Return `count` people who arrive at the shops of all orgs."""
    org = (rng.random(count) < 0.4).astype(int)
    first_source = choose_sources(rng, org, "first_weight")
    chance = rng.random((count, 6))
    has_account = chance[:, 0] < 0.55
    has_both = chance[:, 1] < 0.35
    prefers_phone = chance[:, 2] < _PHONES[first_source]
    has_phone = has_both | prefers_phone
    subscribes = has_account & (chance[:, 3] < 0.23)
    return People(
        org=org,
        first_source=first_source,
        intent=rng.gamma(1.5, 1 / 1.5, count) * _QUALITY[first_source],
        has_account=has_account,
        subscribes=subscribes,
        takes_sms=subscribes & has_phone & (chance[:, 4] < 0.35),
        has_app=has_account & has_phone & (chance[:, 5] < 0.15),
        has_phone=has_phone,
        has_computer=has_both | ~prefers_phone,
    )


def simulate_visits(rng: np.random.Generator, people: People, calendar: Calendar) -> pl.DataFrame:
    """Return the visits of each person without those that follow a sending: one chain a person, until interest ends."""
    count, days = len(people.org), len(calendar.days)
    passed = np.concatenate([[0.0], calendar.traffic.cumsum()])  # usual days before each day
    loyalty = rng.beta(2.2, 1.8, count)
    person, tables = np.arange(count), []
    last: dict[str, Array] = {}
    for rank in range(MAX_VISITS):
        org, size = people.org[person], len(person)
        second = rng.choice(24, size, p=BY_HOUR / BY_HOUR.sum()) * HOUR + rng.integers(0, HOUR, size)
        if rank == 0:
            source, continues = people.first_source, np.zeros(size, dtype=bool)
            # At first nobody returns yet. More people arrive, so that the shops seem as busy as later.
            arrivals = calendar.traffic * (1 + 1.6 * np.exp(-np.arange(days) / 10))
            day = rng.choice(days, size, p=arrivals / arrivals.sum())
            time = calendar.begins[org, day] + second
        else:
            source = choose_sources(rng, org, "later_weight")
            source = np.where(_CART[source] & ~people.has_account[person], DIRECT[org], source)
            chance = rng.random(size)
            # Some click another campaign while they are on the site: one more touch in the same session.
            continues = (chance < 0.03) & (source != last["traffic_source"]) & _HAS_PARAMETERS[source] & ~_CART[source]
            returns_soon = ~continues & ((chance < 0.15) | _CART[source])
            # Busy days shorten the pause, so that later visits follow the calendar, too.
            resumes = passed[last["day"]] + rng.exponential(MEAN_PAUSE, size)
            day = np.searchsorted(passed, resumes, side="right") - 1
            day = np.maximum(day, last["day"] + 1)
            planned = calendar.begins[org, np.minimum(day, days)] + second
            soon = last["end"] + np.where(continues, 60, GAP + rng.integers(0, 5 * HOUR, size))
            time = np.where(continues | returns_soon, soon, np.maximum(planned, last["end"] + GAP))
        happens = (time < calendar.begins[org, days] - HOUR) & ((rank == 0) | (rng.random(size) < loyalty[person]))
        visit = describe_visits(rng, people, calendar, person, source=source, time=time)
        if rank:
            for column in ("site", "device"):
                visit[column] = np.where(continues, last[column], visit[column])
        last = {name: values[happens] for name, values in {**visit, "continues": continues}.items()}
        person = person[happens]
        tables.append(pl.DataFrame(last))
    return pl.concat(tables).with_columns(sending=pl.lit(None, pl.Int64))


def describe_visits(
    rng: np.random.Generator, people: People, calendar: Calendar, person: Array, *, source: Array, time: Array
) -> dict[str, Array]:
    """Return the columns of visits: site, device, pages and end follow from the person and the traffic source."""
    size, org = len(person), people.org[person]
    chance = rng.random((size, 4))
    site = np.where(chance[:, 0] < _BLOG_SHARE[source], BLOG, SHOP_OF_ORG[org])
    on_phone = people.has_phone[person] & (~people.has_computer[person] | (chance[:, 1] < _PHONES[source]))
    pages = np.where(chance[:, 2] < _BOUNCES[source], 1, 1 + rng.geometric(0.40, size).clip(1, 11))
    dwell = rng.integers(12, 150, size)  # seconds on each page
    return {
        "person": person,
        "org": org,
        "traffic_source": source,
        "time": time,
        "day": day_of(calendar, org, time),
        "end": time + (pages + 4) * dwell,
        "site": site,
        "device": np.where(on_phone, PHONE, COMPUTER),
        "pages": pages,
        "dwell": dwell,
        "logs_in": people.has_account[person] & (chance[:, 3] < 0.25),
    }


def day_of(calendar: Calendar, org: Array, time: Array) -> Array:
    """Return the position of each time's reporting day in the org's time zone."""
    by_zone = np.array([np.searchsorted(zone, time, side="right") - 1 for zone in calendar.begins])
    days: Array = np.minimum(by_zone[org, np.arange(len(org))], len(calendar.days) - 1)
    return days


def choose_sources(rng: np.random.Generator, org: Array, weight: str) -> Array:
    """Choose a traffic source of each org. weight: the field of TrafficSource that weighs them."""
    chosen = np.empty(len(org), dtype=int)
    weights = np.array([getattr(source, weight) for source in TRAFFIC_SOURCES])
    for index in range(len(ORGS)):
        mine, chance = org == index, weights * (index == ORG_OF_SOURCE)
        chosen[mine] = rng.choice(len(TRAFFIC_SOURCES), mine.sum(), p=chance / chance.sum())
    return chosen
