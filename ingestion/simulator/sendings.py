"""Simulate how people react to sendings: e-mails that they open, and visits that follow a click.

In: people, their other visits and the calendar. Out: visits, and opened e-mails. A sending reaches a person once.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from ingestion.simulator.calendar_days import Array, Calendar, Sending
from ingestion.simulator.visits import GAP, HOUR, ORG_OF_SOURCE, PHONE, SHOP_OF_ORG, People, describe_visits
from ingestion.simulator.world import TRAFFIC_SOURCES

MEAN_DELAY = 4 * HOUR  # from the sending to its opening


def react_to_sendings(
    rng: np.random.Generator, people: People, calendar: Calendar, visits: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the visits with those that follow a click on a sending, and the opened e-mails.

    Opened e-mails: person, org, site, traffic_source, sending and time. People who visited a few hours
    ago, or will soon, do not click.
    """
    subscribed = np.full(len(people.org), np.inf)
    np.minimum.at(subscribed, visits["person"].to_numpy(), visits["end"].to_numpy())
    answers = [
        _answers(rng, people, subscribed, each, day_end=calendar.begins[each.org, each.day + 1])
        for each in calendar.sendings
    ]
    sending = np.repeat(np.arange(len(answers)), [len(person) for person, *_ in answers])
    person, opened, opens, clicks = (np.concatenate(parts) for parts in zip(*answers, strict=True))
    source = np.array([_source_of(each) for each in calendar.sendings], dtype=int)[sending]
    clicked_at = opened + np.rint(rng.uniform(10, 90, len(person)))
    visit = describe_visits(rng, people, calendar, person, source=source, time=clicked_at)
    phone_only = np.array([each.series.channel != "Email" for each in calendar.sendings], dtype=bool)[sending]
    visit["device"] = np.where(phone_only, PHONE, visit["device"])
    # A link in an e-mail names its recipient, so most readers are recognised.
    visit["logs_in"] = visit["logs_in"] | (rng.random(len(person)) < 0.5)
    followed = pl.DataFrame({**visit, "continues": np.zeros(len(person), dtype=bool), "sending": sending})
    together = pl.concat([visits, followed.filter(pl.Series(clicks))], how="diagonal_relaxed").sort("person", "time")
    before = pl.col("end").shift().over("person")
    after = pl.col("time").shift(-1).over("person")
    too_close = (pl.col("time") - before < GAP).fill_null(False) | (after - pl.col("end") < GAP).fill_null(False)
    together = together.filter(pl.col("sending").is_null() | ~too_close)
    opened_mails = pl.DataFrame(
        {
            "person": person,
            "org": people.org[person],
            "site": SHOP_OF_ORG[people.org[person]],
            "traffic_source": source,
            "sending": sending,
            "time": opened,
        }
    )
    return together, opened_mails.filter(pl.Series(opens))


def _answers(
    rng: np.random.Generator, people: People, subscribed: Array, sending: Sending, *, day_end: float
) -> tuple[Array, Array, Array, Array]:
    """Return the people who open a sending or click, when, and whether they open and click."""
    series = sending.series
    audience = {"Email": people.subscribes, "SMS": people.takes_sms, "Mobile Push": people.has_app}[series.channel]
    person = np.flatnonzero(audience & (people.org == sending.org) & (subscribed < sending.time))
    chance = rng.random((len(person), 2))
    delay = 60 + rng.exponential(MEAN_DELAY, len(person))
    # People react on the day of the sending or never, so that touches follow the calendar.
    in_time = sending.time + delay < day_end - HOUR
    opens = in_time & (chance[:, 0] < series.opens)
    clicks = in_time & (chance[:, 1] < series.clicks) & (opens | (series.opens == 0))
    reacts = opens | clicks
    return person[reacts], sending.time + np.rint(delay[reacts]), opens[reacts], clicks[reacts]


def _source_of(sending: Sending) -> int:
    series = sending.series
    return next(
        index
        for index, source in enumerate(TRAFFIC_SOURCES)
        if ORG_OF_SOURCE[index] == sending.org
        and (source.channel, source.campaign) == (series.channel, series.campaign)
    )
