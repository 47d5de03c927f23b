"""Plant mistakes that real shops make, which input checks find. They change no figure.

In: web events and the first day. Out: the events with campaign links on the shop's pages; refunds of unknown orders; a
list of the mistakes for the ground truth.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import polars as pl

_OWN_LINK = "?utm_source=website&utm_medium=banner&utm_campaign=season-sale"
_EVERY = 25  # of the views of the sale page that follow another page


def add_own_links(web: pl.DataFrame) -> pl.DataFrame:
    """Return the events with campaign parameters in some of the shop's links to its sale page."""
    follows = (pl.col("type") == "PAGE_VIEW") & (pl.col("path") == "/sale") & pl.col("url").str.ends_with("/sale")
    follows &= pl.col("referrer").str.starts_with("https://www.northwind.example").fill_null(False)
    chosen = follows & (follows.cum_sum() % _EVERY == 0)
    return web.with_columns(url=pl.when(chosen).then(pl.col("url") + _OWN_LINK).otherwise("url"))


def refunds_of_unknown_orders(start: date) -> pl.DataFrame:
    """Return refunds of orders from before the period, which no file has, as rows of the refunds contract."""
    noon = datetime.combine(start, time(12), UTC)
    days, values = [1, 2, 4], ["59.90", "24.00", "119.00"]
    return pl.DataFrame(
        {
            "refund_id": [f"R-{day}" for day in days],
            "occurred_at": [noon + timedelta(days=day) for day in days],
            "order_id": [f"O-{99_000 + day}" for day in days],
            "site_id": ["northwind-shop"] * len(days),
            "value": values,
            "currency": ["USD"] * len(days),
            "reason": ["refund"] * len(days),
        },
        schema_overrides={"occurred_at": pl.Datetime("ms", "UTC")},
    )


def planted_mistakes(web: pl.DataFrame, refunds: pl.DataFrame) -> list[dict[str, str | int]]:
    """Return each planted mistake: the mart input_checks has its name, and the number of rows in the files."""
    own_links = web.filter(pl.col("url").str.contains(_OWN_LINK, literal=True)).height
    return [
        {"check_name": "own_links", "rows": own_links, "mistake": "links within the shop have campaign parameters"},
        {"check_name": "refund_without_order", "rows": len(refunds), "mistake": "refunds name orders of no file"},
    ]
