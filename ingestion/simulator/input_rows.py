"""Turn simulated visits into rows of the input contracts: web events, interactions and offline conversions.

In: visits and opened e-mails (journeys.py). Out: tables with the columns of the contracts. `add_identifiers` gives a
visit the ids, money and query string that its rows share. Rows are as imperfect as real ones: some visits have no
session id or no referrer, and some parameters remain on later pages.
"""

from __future__ import annotations

import json

import numpy as np
import polars as pl

from ingestion.simulator.calendar_days import Array, Sending
from ingestion.simulator.query_strings import QUERY_SHARES, query_strings
from ingestion.simulator.visits import PHONE
from ingestion.simulator.world import ORGS, SITES, TRAFFIC_SOURCES, TrafficSource

Columns = dict[str, str | pl.Expr]
ORIGINS = ["https://www.northwind.example", "https://blog.northwind.example", "https://www.nordlicht.example"]
PAGES = [  # five of each site
    ["/", "/collections/boots", "/products/trail-runner-2", "/products/alpine-jacket", "/sale"],
    ["/", "/guides/choosing-boots", "/stories/john-muir-trail", "/guides/layering", "/about"],
    ["/", "/kategorie/wanderschuhe", "/produkt/fjell-jacke", "/produkt/n%C3%A4sseschutz", "/angebote"],
]
STEPS = [("/checkout", "/checkout/done"), ("/newsletter", "/newsletter/welcome"), ("/kasse", "/kasse/danke")]
SEARCH_WORDS = ["trail shoes", "wanderschuhe", "rain jacket", 'boots "wide fit"', "größe 46"]
SEARCH_PROPERTIES = [json.dumps({"name": "search", "query": words}, ensure_ascii=False) for words in SEARCH_WORDS]
CART_PROPERTIES = [json.dumps({"name": "add_to_cart", "sku": f"SKU-{sku}", "quantity": 1}) for sku in range(5)]
WEBKIT, BLINK = "AppleWebKit/605.1.15 (KHTML, like Gecko)", "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE, IPAD = "iPhone; CPU iPhone OS 18_5 like Mac OS X", "iPad; CPU OS 17_6 like Mac OS X"
PHONES = [  # one for each 13th of the people
    *[f"Mozilla/5.0 ({IPHONE}) {WEBKIT} Version/18.5 Mobile/15E148 Safari/604.1"] * 6,
    *[f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {BLINK} Chrome/138.0.0.0 Mobile Safari/537.36"] * 2,
    *[f"Mozilla/5.0 (Linux; Android 14; SM-S921B) {BLINK} Chrome/137.0.0.0 Mobile Safari/537.36"] * 4,
    f"Mozilla/5.0 ({IPAD}) {WEBKIT} Version/17.6 Mobile/15E148 Safari/604.1",
]
COMPUTERS = [  # one for each 13th of the people
    *[f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {BLINK} Chrome/138.0.0.0 Safari/537.36"] * 7,
    *[f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.5 Safari/605.1.15"] * 4,
    *["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"] * 2,
]


def hex_ids(rng: np.random.Generator, count: int) -> pl.Series:
    """Return random identifiers of 16 hexadecimal digits."""
    numbers = rng.integers(1 << 63, size=count).tolist()
    return pl.Series([f"{number:016x}" for number in numbers], dtype=pl.String)


def pick(values: list[str], index: Array) -> pl.Series:
    """Return the value at each position of `index`."""
    return pl.Series(values, dtype=pl.String).gather(index)


def decimal_text(units: pl.Expr, digits: int) -> pl.Expr:
    """Return whole cents (2 digits) or micros (6 digits) as exact decimal text."""
    return pl.format("{}.{}", units // 10**digits, (units % 10**digits).cast(pl.String).str.zfill(digits))


def add_sources(visits: pl.DataFrame, sendings: list[Sending]) -> pl.DataFrame:
    """Add the columns of the traffic source, the name of the sending as `content`, and ids, to each row."""
    fields = list(TrafficSource._fields)
    sources = pl.DataFrame(TRAFFIC_SOURCES, schema=fields, orient="row", infer_schema_length=None)
    sources = sources.with_row_index("traffic_source").with_columns(pl.col("traffic_source").cast(pl.Int64))
    sources = sources.rename({"org": "org_id", "currency": "billing_currency"})
    names = pl.Series([sending.name for sending in sendings], dtype=pl.String)
    return visits.join(sources, on="traffic_source", how="left", maintain_order="left").with_columns(
        content=names.gather(visits["sending"]) if len(names) else pl.lit(None, pl.String),
        customer_id=pl.format("c-{}", pl.col("person").cast(pl.String).str.zfill(6)),
        site_id=pick([each["id"] for each in SITES], visits["site"].to_numpy()),
    )


def add_identifiers(rng: np.random.Generator, visits: pl.DataFrame) -> pl.DataFrame:
    """Add ids, money and query string to each visit with its traffic source."""
    count, source, site = len(visits), visits["traffic_source"].to_numpy(), visits["site"].to_numpy()
    devices = hex_ids(rng, 2 * (int(visits["person"].to_numpy().max()) + 1))
    session = (~visits["continues"]).cum_sum().to_numpy() - 1
    sessions = hex_ids(rng, session[-1] + 1)
    sessionless = rng.random(session[-1] + 1) < 0.08
    variant = rng.choice(len(QUERY_SHARES), count, p=QUERY_SHARES)
    queries = [query for each in TRAFFIC_SOURCES for query in query_strings(each)]
    chance = rng.random((count, 4))
    is_abroad = pl.Series((site == 2) & (chance[:, 3] < 0.06))
    kind = pl.when(pl.col("site") == 1).then(pl.lit("lead")).otherwise(pl.lit("purchase"))
    table = visits.with_columns(
        visit=pl.int_range(count),
        anon_id=devices.gather(visits["person"] * 2 + visits["device"]),
        session_id=pl.when(pl.Series(sessionless[session])).then(None).otherwise(sessions.gather(session)),
        query=pick(queries, source * len(QUERY_SHARES) + variant),
        click=pl.when(pl.col("click_id") != "").then(pl.format("{}=Cj0{}", "click_id", hex_ids(rng, count))),
        sent=pl.format("utm_content={}", "content"),
        # Some newsletters have the reader's address in their links. It must not reach the warehouse.
        recipient=pl.when((pl.col("channel") == "Email") & pl.Series(chance[:, 0] < 0.08)).then(
            pl.format("to=reader{}%40mail.example", "person")
        ),
        fragment=pick(["", "#reviews"], (chance[:, 1] < 0.04).astype(int)),
        referrer=pl.when((pl.col("medium") != "") & pl.Series(chance[:, 2] < 0.1))
        .then(pl.lit(""))
        .otherwise("referrer"),
        conversion_type=pl.when("converts").then(kind),
        currency=pl.when(is_abroad)
        .then(pl.lit("GBP"))
        .otherwise(pick([org["currency"] for org in ORGS], visits["org"].to_numpy())),
    )
    sold = pl.col("conversion_type") == "purchase"
    parts = [pl.when(pl.col(part) != "").then(part) for part in ("query", "click", "sent", "recipient")]
    query = pl.concat_str(parts, separator="&", ignore_nulls=True)
    return table.with_columns(
        cents=pl.when(sold).then("cents"),
        currency=pl.when(sold).then("currency"),
        order_id=pl.when(sold).then(pl.format("O-{}", pl.col("visit") + 100_000)),
        query=pl.when(query != "").then(pl.format("?{}", query)).otherwise(pl.lit("")),
    )


def web_events(rng: np.random.Generator, visits: pl.DataFrame) -> pl.DataFrame:
    """Return rows of the events contract in order of time; `occurred_at` is UTC, `value` decimal text."""
    length = visits["events"].to_numpy()
    rows = visits[np.repeat(np.arange(len(visits)), length)]
    count, site = len(rows), rows["site"].to_numpy()
    position = np.arange(count) - np.repeat(length.cumsum() - length, length)
    remaining = np.repeat(length, length) - 1 - position
    on_web, lost = (rows["converts"] & ~rows["offline"]).to_numpy(), rows["lost"].to_numpy()
    # A checkout that fails is the last page.
    converts, checkout = on_web & (remaining == 0), np.where(lost, remaining == 0, on_web & (remaining == 1))
    chance = rng.random(count)
    inside = (position > 0) & ~converts & ~checkout
    search, cart = inside & (chance < 0.10), inside & (chance > 0.90) & (site != 1)
    page = site * 5 + rng.integers(0, 5, count)
    path = pick([path for paths in PAGES for path in paths], page)
    for chosen, step in ((checkout, 0), (converts, 1)):
        path = path.zip_with(pl.Series(~chosen), pick([steps[step] for steps in STEPS], site))
    origin = pick(ORIGINS, site)
    # Parameters that remain on the second page are not a new touch.
    keeps_parameters = (position == 1) & (rng.random(count) < 0.06)
    dwell = rows["dwell"].to_numpy()
    elapsed = (position + 0.8 * rng.random(count) * (position > 0)) * dwell  # seconds since the landing
    milliseconds = pl.Series(((rows["time"].to_numpy() + elapsed) * 1000).astype(np.int64))
    parameters = (
        pl.when(pl.Series(position == 0))
        .then(pl.format("{}{}", "query", "fragment"))
        .when(pl.Series(keeps_parameters))
        .then("query")
        .otherwise(pl.lit(""))
    )
    previous = pl.format("{}{}", origin, path.shift(1, fill_value=""))
    browser = rows["person"].to_numpy() % len(PHONES)
    on_phone = pl.Series(rows["device"].to_numpy() == PHONE)
    return rows.select(
        event_id=hex_ids(rng, count),
        site_id="site_id",
        type=pl.when(pl.Series(converts))
        .then(pl.lit("CONVERSION"))
        .when(pl.Series(search | cart))
        .then(pl.lit("CUSTOM"))
        .otherwise(pl.lit("PAGE_VIEW")),
        occurred_at=milliseconds.cast(pl.Datetime("ms", "UTC")),
        anon_id="anon_id",
        session_id="session_id",
        user_id=pl.when(pl.col("is_known") | (pl.col("logs_in") & pl.Series(position > 0))).then("customer_id"),
        url=pl.format("{}{}{}", origin, path, parameters),
        path=path,
        referrer=pl.when(pl.Series(position > 0)).then(previous).when(pl.col("referrer") != "").then("referrer"),
        user_agent=pick(PHONES, browser).zip_with(on_phone, pick(COMPUTERS, browser)),
        value=pl.when(pl.Series(converts)).then(decimal_text(pl.col("cents"), 2)),
        currency=pl.when(pl.Series(converts)).then("currency"),
        order_id=pl.when(pl.Series(converts)).then("order_id"),
        conversion_type=pl.when(pl.Series(converts)).then("conversion_type"),
        properties=pl.when(pl.Series(search))
        .then(pick(SEARCH_PROPERTIES, page % 5))
        .when(pl.Series(cart))
        .then(pick(CART_PROPERTIES, page % 5)),
    ).sort("occurred_at", "event_id")


def offline_conversions(rng: np.random.Generator, visits: pl.DataFrame) -> pl.DataFrame:
    """Return orders by phone or in a shop, an hour or two after a visit, as rows of the conversions contract."""
    sold = visits.filter("offline")
    delay = pl.Series(rng.integers(3_600, 7_200, len(sold)))
    return sold.select(
        # One till in ten gives no id.
        conversion_id=pl.when(pl.col("visit") % 10 > 0).then(pl.format("pos-{}", "visit")),
        occurred_at=((pl.col("time") + delay) * 1000).cast(pl.Int64).cast(pl.Datetime("ms", "UTC")),
        customer_id="customer_id",
        conversion_type="conversion_type",
        value=decimal_text(pl.col("cents"), 2),
        currency="currency",
        order_id="order_id",
        site_id="site_id",
    ).sort("occurred_at", "customer_id")
