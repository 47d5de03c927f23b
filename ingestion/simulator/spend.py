"""Simulate the spend of the visits, and exchange rates.

In: visits (input_rows.py). Out: rows of the spend contract, one for each ad and day, and of exchange rates.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from ingestion.simulator.calendar_days import BY_WEEKDAY, Calendar
from ingestion.simulator.campaigns import COMMISSION
from ingestion.simulator.input_rows import decimal_text
from ingestion.simulator.purchases import MEAN_ORDER
from ingestion.simulator.world import ORGS, TRAFFIC_SOURCES

# Clicks for each impression; affiliate networks do not count impressions.
CLICK_RATE = {
    "Paid Search": 0.05,
    "Paid Shopping": 0.02,
    "Paid Social": 0.012,
    "Display": 0.004,
    "Paid Video": 0.006,
    "Affiliates": 1.0,
}
STARTING_RATES = {"USD": 0.86, "GBP": 1.15}  # in euros


def daily_spend(rng: np.random.Generator, visits: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    """Return rows of the spend contract for every ad and day, also without spend, with `spend_micros` and `org_id`.

    A platform counts some clicks that never became a visit, and claims more conversions than it caused. Affiliates get
    a commission instead of a price for each click.
    """
    days = len(calendar.days)
    cell = visits["traffic_source"].to_numpy() * days + visits["day"].to_numpy()
    ads = [index for index, source in enumerate(TRAFFIC_SOURCES) if source.platform]
    size = len(TRAFFIC_SOURCES) * days
    visited = np.bincount(cell, minlength=size).reshape(-1, days)[ads]
    converted = np.bincount(cell, visits["converts"], minlength=size).reshape(-1, days)[ads]
    sales = np.bincount(cell, visits["cents"].fill_null(0) / 100, minlength=size).reshape(-1, days)[ads]
    clicks = visited + rng.poisson(0.08 * visited)
    prices = np.array([TRAFFIC_SOURCES[ad].cpc for ad in ads])[:, None] * rng.gamma(60, 1 / 60, clicks.shape)
    # Some platforms bill in cents, others in micros; both must add up.
    bills_in_micros = np.array([TRAFFIC_SOURCES[ad].platform == "google" for ad in ads])[:, None]
    is_affiliate = np.array([TRAFFIC_SOURCES[ad].channel == "Affiliates" for ad in ads])
    cost = np.where(is_affiliate[:, None], COMMISSION * sales, clicks * prices)
    micros = np.where(bills_in_micros, np.rint(cost * 1e6), np.rint(cost * 1e2) * 1e4).astype(np.int64)
    rate = np.array([CLICK_RATE[TRAFFIC_SOURCES[ad].channel] for ad in ads])[:, None]
    weekday = np.array([BY_WEEKDAY[day.weekday()] for day in calendar.days])
    impressions = clicks + rng.poisson(clicks * (1 / rate - 1) + 20 * weekday)
    claimed = converted * 1.3 + rng.poisson(0.01 * clicks)
    orgs = [org["id"] for org in ORGS]
    mean_order = MEAN_ORDER[[orgs.index(TRAFFIC_SOURCES[ad].org) for ad in ads]][:, None]
    claimed_cents = np.rint(claimed * mean_order * 100).astype(np.int64)
    sources = [TRAFFIC_SOURCES[ad] for ad in ads for _ in range(days)]
    ids = ["platform", "account_id", "campaign_id", "currency"]
    details = ["campaign", "adset_id", "adset", "ad_id", "ad"]
    text = {
        name: pl.Series([getattr(source, name) or None for source in sources], dtype=pl.String)
        for name in ids + details
    }
    table = pl.DataFrame(
        {
            "date": calendar.days * len(ads),
            **text,
            "org_id": [source.org for source in sources],
            "spend_micros": micros.ravel(),
            "impressions": impressions.ravel(),
            "clicks": clicks.ravel(),
            "platform_conversions": claimed.ravel().round(2),
            "cents": claimed_cents.ravel(),
            "is_affiliate": np.repeat(is_affiliate, days),
        }
    )
    table = table.with_columns(impressions=pl.when(~pl.col("is_affiliate")).then("impressions"))
    return table.select(
        "date",
        *ids,
        spend=decimal_text(pl.col("spend_micros"), 6),
        **{name: pl.col(name) for name in details},
        impressions="impressions",
        clicks="clicks",
        platform_conversions="platform_conversions",
        platform_value=decimal_text(pl.col("cents"), 2),
        spend_micros="spend_micros",
        org_id="org_id",
    ).sort("date", "platform", "account_id", "campaign_id", "ad_id")


def exchange_rates(rng: np.random.Generator, start: date, days: int) -> pl.DataFrame:
    """Return a rate to the euro for every weekday, from a week before the period. Markets close at weekends."""
    each = [start + timedelta(day) for day in range(-7, days)]
    reporting = ORGS[1]["currency"]
    tables = []
    for base, rate in STARTING_RATES.items():
        walk = rate * np.exp(np.cumsum(rng.normal(0, 0.003, len(each))))
        tables.append(
            pl.DataFrame(
                {
                    "date": each,
                    "base": base,
                    "quote": reporting,
                    "rate": [f"{value:.6f}" for value in walk],
                }
            )
        )
    return pl.concat(tables).filter(pl.col("date").dt.weekday() <= 5).sort("date", "base")
