"""Simulated visits -> rows of the input contracts: web events, interactions and offline conversions.

`identified` gives each visit the ids, money and query string that its rows share; the others make rows of it.
The dirt of real life is here: visits without a session id, parameters that stick to later pages, no referrer.
"""

from __future__ import annotations

import json

import numpy as np
import polars as pl

from ingestion.simulator.world import LANES, ORGS, QUERY_SHARES, SITES, Lane, queries

ORIGINS = ["https://www.northwind.example", "https://blog.northwind.example", "https://www.nordlicht.example"]
PAGES = [  # of each site, five
    ["/", "/collections/boots", "/products/trail-runner-2", "/products/alpine-jacket", "/sale"],
    ["/", "/guides/choosing-boots", "/stories/john-muir-trail", "/guides/layering", "/about"],
    ["/", "/kategorie/wanderschuhe", "/produkt/fjell-jacke", "/produkt/n%C3%A4sseschutz", "/angebote"],
]
STEPS = [("/checkout", "/checkout/done"), ("/newsletter", "/newsletter/welcome"), ("/kasse", "/kasse/danke")]
WORDS = ["trail shoes", "wanderschuhe", "rain jacket", 'boots "wide fit"', "größe 46"]
SEARCHES = [json.dumps({"name": "search", "query": words}, ensure_ascii=False) for words in WORDS]
CARTS = [json.dumps({"name": "add_to_cart", "sku": f"SKU-{sku}", "quantity": 1}) for sku in range(5)]
WEBKIT, BLINK = "AppleWebKit/605.1.15 (KHTML, like Gecko)", "AppleWebKit/537.36 (KHTML, like Gecko)"
APPLE_PHONE, TABLET = "iPhone; CPU iPhone OS 18_5 like Mac OS X", "iPad; CPU OS 17_6 like Mac OS X"
BROWSERS = [
    f"Mozilla/5.0 ({APPLE_PHONE}) {WEBKIT} Version/18.5 Mobile/15E148 Safari/604.1",
    f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {BLINK} Chrome/138.0.0.0 Mobile Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 14; SM-S921B) {BLINK} Chrome/137.0.0.0 Mobile Safari/537.36",
    f"Mozilla/5.0 ({TABLET}) {WEBKIT} Version/17.6 Mobile/15E148 Safari/604.1",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {BLINK} Chrome/138.0.0.0 Safari/537.36",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
]


def hexes(rng: np.random.Generator, count: int) -> pl.Series:
    """Random identifiers of 16 hexadecimal digits."""
    numbers = rng.integers(1 << 63, size=count).tolist()
    return pl.Series([f"{number:016x}" for number in numbers], dtype=pl.String)


def picked(values: list[str], index: np.ndarray) -> pl.Series:
    """The value at each position of `index`."""
    return pl.Series(values, dtype=pl.String).gather(index)


def decimal(units: pl.Expr, digits: int) -> pl.Expr:
    """Whole small units (cents: 2 digits, micros: 6) as an exact decimal string."""
    return pl.format("{}.{}", units // 10**digits, (units % 10**digits).cast(pl.String).str.zfill(digits))


def identified(rng: np.random.Generator, visits: pl.DataFrame) -> pl.DataFrame:
    """Each visit with its lane's columns and with ids, money, and query string."""
    count, lane, site = len(visits), visits["lane"].to_numpy(), visits["site"].to_numpy()
    lanes = pl.DataFrame(LANES, schema=list(Lane._fields), orient="row").with_row_index("lane")
    lanes = lanes.with_columns(pl.col("lane").cast(pl.Int64))
    lanes = lanes.rename({"org": "org_id", "currency": "billed_in"})
    devices = hexes(rng, 2 * (visits["person"].max() + 1))
    session = (~visits["follows"]).cum_sum().to_numpy() - 1
    sessions = hexes(rng, session[-1] + 1)
    sessionless = rng.random(session[-1] + 1) < 0.08
    variant = rng.choice(len(QUERY_SHARES), count, p=QUERY_SHARES)
    written = [query for each in LANES for query in queries(each)]
    lucky = rng.random((count, 4))
    abroad = pl.Series((site == 2) & (lucky[:, 3] < 0.06))
    kind = pl.when(pl.col("site") == 1).then(pl.lit("lead")).otherwise(pl.lit("purchase"))
    table = visits.join(lanes, on="lane", how="left", maintain_order="left").with_columns(
        visit=pl.int_range(count),
        anon_id=devices.gather(visits["person"] * 2 + visits["device"]),
        session_id=pl.when(pl.Series(sessionless[session])).then(None).otherwise(sessions.gather(session)),
        customer_id=pl.format("c-{}", pl.col("person").cast(pl.String).str.zfill(6)),
        site_id=picked([each["id"] for each in SITES], site),
        query=picked(written, lane * len(QUERY_SHARES) + variant),
        click=pl.when(pl.col("click_id") != "").then(pl.format("{}=Cj0{}", "click_id", hexes(rng, count))),
        # Some newsletters put the reader's address into their links; it must not reach the warehouse.
        recipient=pl.when((pl.col("channel") == "Email") & pl.Series(lucky[:, 0] < 0.03)).then(
            pl.format("to=reader{}%40mail.example", "person")
        ),
        fragment=picked(["", "#reviews"], (lucky[:, 1] < 0.04).astype(int)),
        referrer=pl.when((pl.col("medium") != "") & pl.Series(lucky[:, 2] < 0.1))
        .then(pl.lit(""))
        .otherwise("referrer"),
        conversion_type=pl.when("converts").then(kind),
        currency=pl.when(abroad)
        .then(pl.lit("GBP"))
        .otherwise(picked([org["currency"] for org in ORGS], visits["org"].to_numpy())),
    )
    sold = pl.col("conversion_type") == "purchase"
    parts = [pl.when(pl.col(part) != "").then(part) for part in ("query", "click", "recipient")]
    asked = pl.concat_str(parts, separator="&", ignore_nulls=True)
    return table.with_columns(
        cents=pl.when(sold).then("cents"),
        currency=pl.when(sold).then("currency"),
        order_id=pl.when(sold).then(pl.format("O-{}", pl.col("visit") + 100_000)),
        query=pl.when(asked != "").then(pl.format("?{}", asked)).otherwise(pl.lit("")),
    )


def web_events(rng: np.random.Generator, visits: pl.DataFrame) -> pl.DataFrame:
    """Rows of the events contract, in order of time; `occurred_at` in UTC, `value` as a decimal string."""
    length = visits["events"].to_numpy()
    rows = visits[np.repeat(np.arange(len(visits)), length)]
    count, site = len(rows), rows["site"].to_numpy()
    position = np.arange(count) - np.repeat(length.cumsum() - length, length)
    to_go = np.repeat(length, length) - 1 - position
    on_web = (rows["converts"] & ~rows["offline"]).to_numpy()
    converts, checkout = on_web & (to_go == 0), on_web & (to_go == 1)
    what = rng.random(count)
    inside = (position > 0) & ~converts & ~checkout
    search, cart = inside & (what < 0.10), inside & (what > 0.90) & (site != 1)
    page = site * 5 + rng.integers(0, 5, count)
    path = picked([path for paths in PAGES for path in paths], page)
    for chosen, step in ((checkout, 0), (converts, 1)):
        path = path.zip_with(pl.Series(~chosen), picked([steps[step] for steps in STEPS], site))
    origin = picked(ORIGINS, site)
    sticky = (position == 1) & (rng.random(count) < 0.06)  # parameters stay on page two: no new touch
    dwell = rows["dwell"].to_numpy()
    into = (position + 0.8 * rng.random(count) * (position > 0)) * dwell  # seconds since the landing
    milliseconds = pl.Series(((rows["time"].to_numpy() + into) * 1000).astype(np.int64))
    carried = pl.when(pl.Series(position == 0)).then(pl.format("{}{}", "query", "fragment"))
    carried = carried.when(pl.Series(sticky)).then("query").otherwise(pl.lit(""))
    previous = pl.format("{}{}", origin, path.shift(1, fill_value=""))
    browser = (rows["person"].to_numpy() * 5 + rows["device"].to_numpy() * 3) % len(BROWSERS)
    return rows.select(
        event_id=hexes(rng, count),
        site_id="site_id",
        type=pl.when(pl.Series(converts))
        .then(pl.lit("CONVERSION"))
        .when(pl.Series(search | cart))
        .then(pl.lit("CUSTOM"))
        .otherwise(pl.lit("PAGE_VIEW")),
        occurred_at=milliseconds.cast(pl.Datetime("ms", "UTC")),
        anon_id="anon_id",
        session_id="session_id",
        user_id=pl.when(pl.col("knows") | (pl.col("login") & pl.Series(position > 0))).then("customer_id"),
        url=pl.format("{}{}{}", origin, path, carried),
        path=path,
        referrer=pl.when(pl.Series(position > 0)).then(previous).when(pl.col("referrer") != "").then("referrer"),
        user_agent=picked(BROWSERS, browser),
        value=pl.when(pl.Series(converts)).then(decimal(pl.col("cents"), 2)),
        currency=pl.when(pl.Series(converts)).then("currency"),
        order_id=pl.when(pl.Series(converts)).then("order_id"),
        conversion_type=pl.when(pl.Series(converts)).then("conversion_type"),
        properties=pl.when(pl.Series(search))
        .then(picked(SEARCHES, page % 5))
        .when(pl.Series(cart))
        .then(picked(CARTS, page % 5)),
    ).sort("occurred_at", "event_id")


def offline_conversions(rng: np.random.Generator, visits: pl.DataFrame) -> pl.DataFrame:
    """Orders by phone or in a shop, an hour or two after a visit: rows of the conversions contract."""
    sold = visits.filter("offline")
    delay = pl.Series(rng.integers(3_600, 7_200, len(sold)))
    return sold.select(
        # One till in ten numbers nothing either.
        conversion_id=pl.when(pl.col("visit") % 10 > 0).then(pl.format("pos-{}", "visit")),
        occurred_at=((pl.col("time") + delay) * 1000).cast(pl.Int64).cast(pl.Datetime("ms", "UTC")),
        customer_id="customer_id",
        conversion_type="conversion_type",
        value=decimal(pl.col("cents"), 2),
        currency="currency",
        order_id="order_id",
        site_id="site_id",
    ).sort("occurred_at", "customer_id")


def interactions(rng: np.random.Generator, visits: pl.DataFrame) -> pl.DataFrame:
    """Touches that other systems report: ad views, opened and clicked e-mails, lead forms, calls.

    They cause nothing (a channel's lift is that of its visits), as with many a view that a platform counts.
    """
    viewed = pl.col("channel").is_in(["Paid Social", "Display", "Paid Video"])
    sent = {name: name for name in ("channel", "source", "medium", "campaign")}
    phone = {"channel": pl.lit("Phone"), "source": pl.lit("call-tracking"), "medium": pl.lit("phone")}
    ad = {**sent, **{name: name for name in ("platform", "campaign_id", "adset_id", "ad_id")}}
    kinds = [  # touch type, which visits, what share of them, seconds before the visit, marketing columns
        ("view", viewed, 0.35, (3_600, 3 * 86_400), ad),
        ("email", pl.col("channel") == "Email", 0.9, (10, 900), sent),
        ("click", pl.col("channel") == "Email", 0.2, (1, 5), sent),
        ("form", viewed & (pl.col("platform") == "meta"), 0.02, (60, 600), ad),
        ("call", pl.col("offline"), 0.5, (-3_000, -600), phone),
    ]
    tables = []
    for touch_type, which, share, (least, most), marketing in kinds:
        some = visits.filter(which)
        some = some.filter(pl.Series(rng.random(len(some)) < share))
        before = pl.Series(rng.integers(least, most, len(some)))
        known = pl.col("has_account") & (touch_type != "view")
        # The switchboard numbers nothing: the loader derives an id from the row.
        nothing, numbered = pl.lit(None, pl.String), pl.format("{}-{}", pl.lit(touch_type), "visit")
        tables.append(
            some.select(
                interaction_id=nothing if touch_type == "call" else numbered,
                occurred_at=((pl.col("time") - before) * 1000).cast(pl.Int64).cast(pl.Datetime("ms", "UTC")),
                visitor_id=pl.when(~known).then("anon_id"),
                customer_id=pl.when(known).then("customer_id"),
                touch_type=pl.lit(touch_type),
                site_id="site_id",
                **marketing,
            )
        )
    order = ["occurred_at", "interaction_id", "visitor_id", "customer_id"]
    return pl.concat(tables, how="diagonal").sort(order).with_columns(pl.col(pl.String).replace("", None))
