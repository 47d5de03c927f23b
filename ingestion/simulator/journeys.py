"""Simulate people's journeys through marketing to an order.

In: a random generator, a calendar and a number of web events. Out: visits and opened e-mails; input_rows.py turns them
into input rows.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from ingestion.simulator.calendar_days import Calendar
from ingestion.simulator.purchases import decide
from ingestion.simulator.sendings import react_to_sendings
from ingestion.simulator.visits import simulate_people, simulate_visits


def simulate_journeys(rng: np.random.Generator, calendar: Calendar, events: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the visits, sorted by person and time, of so many people that they make `events` web events.

    The second table has the e-mails that they open.
    """
    people = simulate_people(rng, events // 3 + 10)  # more than enough: a person makes more than six events on average
    visits, opened = react_to_sendings(rng, people, calendar, simulate_visits(rng, people, calendar))
    visits = _first_people(visits, "pages", events)  # a visit has at least as many events as pages
    visits = _first_people(decide(rng, people, visits, calendar), "events", events)
    return visits, opened.filter(pl.col("person") <= visits["person"].max())


def _first_people(visits: pl.DataFrame, column: str, total: int) -> pl.DataFrame:
    """Return the visits of the first people whose visits have that total in a column; all visits if they have less."""
    last = visits["person"].filter(visits[column].cum_sum() >= total).min()
    return visits if last is None else visits.filter(pl.col("person") <= last)
