"""Turn simulated visits and opened e-mails into touches from other systems, as rows of the interactions contract.

In: visits and opened e-mails with their traffic sources (input_rows.py). Out: ad views, opened and clicked e-mails,
lead forms and calls. They cause no orders: a campaign's lift comes from its visits.
"""

from __future__ import annotations

import numpy as np
import polars as pl

Columns = dict[str, str | pl.Expr]
IS_DISPLAY = pl.col("channel").is_in(["Paid Social", "Display", "Paid Video"])
IS_CART = pl.col("campaign") == "abandoned_cart"
UTM: Columns = {name: name for name in ("channel", "source", "medium", "campaign", "content")}
PHONE: Columns = {"channel": pl.lit("Phone"), "source": pl.lit("call-tracking"), "medium": pl.lit("phone")}
AD: Columns = {
    **{name: name for name in ("channel", "source", "medium", "campaign")},
    **{name: name for name in ("platform", "campaign_id", "adset_id", "ad_id")},
}
# touch type, visits, share of them, seconds before the visit, marketing columns
KINDS: list[tuple[str, pl.Expr, float, tuple[int, int], Columns]] = [
    ("view", IS_DISPLAY, 0.15, (3_600, 3 * 86_400), AD),
    ("email", IS_CART, 1.0, (10, 900), UTM),
    ("click", pl.col("channel") == "Email", 1.0, (1, 5), UTM),
    ("form", IS_DISPLAY & (pl.col("platform") == "meta"), 0.02, (60, 600), AD),
    ("call", pl.col("offline"), 0.5, (-3_000, -600), PHONE),
]


def interactions(rng: np.random.Generator, visits: pl.DataFrame, opened: pl.DataFrame) -> pl.DataFrame:
    """Return all touches in order of time. Everybody who gets an e-mail has an account."""
    tables = [_opened_mails(opened)]
    for touch_type, condition, share, (earliest, latest), marketing in KINDS:
        chosen = visits.filter(condition)
        chosen = chosen.filter(pl.Series(rng.random(len(chosen)) < share))
        before = pl.Series(rng.integers(earliest, latest, len(chosen)))
        is_known = pl.col("has_account") & (touch_type != "view")
        # Calls have no id: the loader derives one from the row.
        no_id, numbered = pl.lit(None, pl.String), pl.format("{}-{}", pl.lit(touch_type), "visit")
        tables.append(
            chosen.select(
                interaction_id=no_id if touch_type == "call" else numbered,
                occurred_at=((pl.col("time") - before) * 1000).cast(pl.Int64).cast(pl.Datetime("ms", "UTC")),
                visitor_id=pl.when(~is_known).then("anon_id"),
                customer_id=pl.when(is_known).then("customer_id"),
                touch_type=pl.lit(touch_type),
                site_id="site_id",
                **marketing,
            )
        )
    order = ["occurred_at", "interaction_id", "visitor_id", "customer_id"]
    return pl.concat(tables, how="diagonal").sort(order).with_columns(pl.col(pl.String).replace("", None))


def _opened_mails(opened: pl.DataFrame) -> pl.DataFrame:
    """Return the opened e-mails of sendings. A sending's name and the customer identify each."""
    return opened.select(
        interaction_id=pl.format("open-{}-{}", "content", "customer_id"),
        occurred_at=(pl.col("time") * 1000).cast(pl.Int64).cast(pl.Datetime("ms", "UTC")),
        visitor_id=pl.lit(None, pl.String),
        customer_id="customer_id",
        touch_type=pl.lit("email"),
        site_id="site_id",
        **UTM,
    )
