"""Write down what the simulator knows: totals of its files, true causes, special days, bots and planted mistakes.

In: visits, spend, the calendar and web events. Out: the content of `simulated_truth.json`, which
docs/simulate.md describes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ingestion.simulator.calendar_days import BROKEN_SITE, Array, Calendar
from ingestion.simulator.campaigns import CHANNELS
from ingestion.simulator.purchases import CAUSES
from ingestion.simulator.spend import STARTING_RATES
from ingestion.simulator.visits import PHONE
from ingestion.simulator.world import ORGS, TRAFFIC_SOURCES

Rows = list[dict[str, Any]]
Group = tuple[str, str, str]  # org, channel, campaign


def ground_truth(visits: pl.DataFrame, costs: pl.DataFrame) -> dict[str, Rows]:
    """Return totals of the files by currency, and figures of each org, channel and campaign.

    These figures are in the org's currency, at the exchange rates of the first day.
    """
    sold = visits.filter("converts").with_columns(value_micros=pl.col("cents").fill_null(0) * 10_000)
    totals = [pl.len().alias("conversions"), pl.col("value_micros").sum()]
    of_org = pl.col("org_id").replace_strict({org["id"]: org["currency"] for org in ORGS})
    rate = _euros(pl.col("currency").fill_null(of_org)) / _euros(of_org)
    valued = visits.with_columns(value_micros=pl.col("cents").fill_null(0) * 10_000 * rate)
    bills = costs.with_columns(spend_micros=pl.col("spend_micros") * rate)
    groups = {source.group: source for source in TRAFFIC_SOURCES}
    return {
        "conversions": _grouped(sold, ["org_id", "conversion_type", "currency"], *totals),
        "spend": _grouped(costs, ["org_id", "platform", "currency"], pl.col("spend_micros").sum()),
        "touches": _grouped(visits, ["org_id", "channel"], pl.len().alias("touches")),
        "orgs": [_figures(valued, bills, org["id"], list(groups)) for org in ORGS],
        "channels": [
            {"channel": channel, **_figures(valued, bills, org["id"], [key for key in groups if key[1] == channel])}
            for org in ORGS
            for channel in CHANNELS
            if any(group[:2] == (org["id"], channel) for group in groups)
        ],
        "campaigns": [
            {
                "channel": source.channel,
                "platform": source.platform or None,
                "campaign_id": source.campaign_id or None,
                "campaign": source.campaign or None,
                "role": source.role,
                **_figures(valued, bills, source.org, [group]),
            }
            for group, source in groups.items()
        ],
    }


def _figures(visits: pl.DataFrame, bills: pl.DataFrame, org: str, groups: list[Group]) -> dict[str, Any]:
    """Return figures of campaigns of an org.

    Their visits and spend; the orders that these visits placed (last touch); and the conversions, leads included, that
    would be missing without the lift of all of them.
    """
    sources = [number for number, source in enumerate(TRAFFIC_SOURCES) if source.group in groups]
    ids = [TRAFFIC_SOURCES[number].campaign_id for number in sources if TRAFFIC_SOURCES[number].platform]
    others = sum(1 << position for position, cause in enumerate(CAUSES) if cause not in groups)
    of_org = visits.filter(pl.col("org_id") == org)
    own = of_org.filter(pl.col("traffic_source").is_in(sources))
    orders = own.filter(pl.col("order_id").is_not_null())
    caused = of_org.filter(pl.col("converts") & (pl.col("causes") & others == 0))
    spent = bills.filter((pl.col("org_id") == org) & pl.col("campaign_id").is_in(ids))["spend_micros"].sum()
    return {
        "org_id": org,
        "visits": len(own),
        "bounces": (own["events"] == 1).sum(),
        "visits_on_phones": (own["device"] == PHONE).sum(),
        "orders": len(orders),
        "order_value_micros": round(orders["value_micros"].sum()),
        "incremental_conversions": len(caused),
        "incremental_value_micros": round(caused["value_micros"].sum()),
        "spend_micros": round(spent),
    }


def _euros(currency: pl.Expr) -> pl.Expr:
    return currency.replace_strict({"EUR": 1.0, **STARTING_RATES})


def _grouped(table: pl.DataFrame, by: list[str], *totals: pl.Expr) -> Rows:
    return table.group_by(by).agg(*totals).sort(by, nulls_last=True).to_dicts()


def special_days(visits: pl.DataFrame, calendar: Calendar) -> dict[str, Any]:
    """Return the promotion, the bad week with the orders that it lost, and the days of all sendings."""
    lost = visits.filter("lost")
    return {
        "promotion": _period(calendar, calendar.promoted),
        "bad_week": {
            **_period(calendar, calendar.broken),
            "site_id": BROKEN_SITE,
            "fault": "the checkout fails on phones",
            "lost_orders": len(lost),
            "lost_value_micros": int(lost["cents"].sum()) * 10_000,
        },
        "sendings": [
            {
                "org_id": ORGS[sending.org]["id"],
                "channel": sending.series.channel,
                "campaign": sending.series.campaign,
                "content": sending.name,
                "date": str(calendar.days[sending.day]),
            }
            for sending in calendar.sendings
        ],
    }


def _period(calendar: Calendar, chosen: Array) -> dict[str, str | None]:
    days = [str(calendar.days[day]) for day in np.flatnonzero(chosen)]
    return {"first_date": days[0] if days else None, "last_date": days[-1] if days else None}
