"""Add page views of crawlers to simulated web events. They name themselves, so they count in no figure.

In: web events and the calendar. Out: the events with those of bots.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from ingestion.simulator.calendar_days import Calendar
from ingestion.simulator.input_rows import ORIGINS, PAGES, hex_ids, pick
from ingestion.simulator.world import SITES

SHARE = 0.008  # bots' page views for each event of a person
BOTS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
]


def add_bots(rng: np.random.Generator, web: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    """Return the events with the page views of bots, in order of time."""
    count = int(len(web) * SHARE)
    site, page = rng.integers(0, len(SITES), count), rng.integers(0, 5, count)
    path = pick([path for paths in PAGES for path in paths], site * 5 + page)
    first, last = calendar.begins[:, 0].max(), calendar.begins[:, -1].min()  # within the period in every time zone
    time = pl.Series(rng.integers(int(first * 1000), int(last * 1000), count))
    bots = pl.DataFrame(
        {
            "event_id": hex_ids(rng, count),
            "site_id": pick([each["id"] for each in SITES], site),
            "type": ["PAGE_VIEW"] * count,
            "occurred_at": time.cast(pl.Datetime("ms", "UTC")),
            "anon_id": hex_ids(rng, count),
            "url": pick(ORIGINS, site) + path,
            "path": path,
            "user_agent": pick(BOTS, rng.integers(0, len(BOTS), count)),
        }
    )
    return pl.concat([web, bots], how="diagonal").sort("occurred_at", "event_id")
