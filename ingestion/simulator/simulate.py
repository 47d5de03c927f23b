"""A quarter of marketing with a known ground truth, as input files; and bulk data for benchmarks.

In: a seed and a period. Out: `folder/<kind>/<name>` for the five input contracts, the entries that they need
in tributary.yaml, and `simulated_truth.json` beside the folder, to reconcile with all that is loaded.

    simulate_world    orgs, sites, ads as data     simulate_rows    visits -> events, touches, offline orders
    simulate_journeys people -> visits             simulate_spend   visits -> spend, exchange rates

The same arguments write the same bytes: one seeded generator, no wall clock, no dates in archives.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from copy import deepcopy
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from ingestion.simulator.journeys import CAUSES
from ingestion.simulator.journeys import visits as simulated_visits
from ingestion.simulator.rows import identified, interactions, offline_conversions, web_events
from ingestion.simulator.spend import exchange_rates, spend
from ingestion.simulator.world import ACCOUNTS, ORGS, SITES

ZULU, OFFSET = "%Y-%m-%dT%H:%M:%S%.3fZ", "%Y-%m-%dT%H:%M:%S%.3f%:z"
LATE, REPEATED = 0.005, 0.004  # shares of a file's events that come with the next file, and that come twice
TRUTH = "simulated_truth.json"


def simulate(
    folder: Path,
    *,
    seed: int = 7,
    start: date = date(2026, 7, 1),
    days: int = 92,
    events: int = 240_000,
    say: Callable[[str], None] = lambda message: None,
) -> dict[str, list[dict]]:
    """Write at least `events` web events and all that belongs to them into `folder` (an inbox).

    Returns {"orgs", "sites", "ad_accounts"}: the entries that tributary.yaml needs for these files.
    """
    if days < 7 or events < 100:
        raise ValueError(f"days={days}, events={events}: simulate at least 7 days and 100 events")
    rng = np.random.default_rng(seed)
    visits = identified(rng, simulated_visits(rng, start, days, events))
    say(f"simulated {len(visits):,} visits of {visits['person'].n_unique():,} people in {days} days")
    web = web_events(rng, visits)
    files = _delivered(rng, web, start, days)
    costs = spend(rng, visits, start, days)
    orders, touches = offline_conversions(rng, visits), interactions(rng, visits)

    months = [start + timedelta(days * part // 3) for part in range(3)]
    for month, (suffix, encode), table in zip(months, _FORMATS.items(), files, strict=True):
        _write(folder / "events" / f"events_{month}{suffix}", encode(table))
    for kind, table in {
        "interactions": touches,
        "conversions": orders,
        "spend": costs.drop("spend_micros", "org_id"),
        "exchange-rates": exchange_rates(rng, start, days),
    }.items():
        _write(folder / kind / f"{kind.replace('-', '_')}_{start}.csv", _csv(table))
    truth = {
        "rows": {
            "events": sum(map(len, files)),
            "duplicate_events": sum(map(len, files)) - len(web),
            "interactions": len(touches),
            "conversions": len(orders),
            "spend": len(costs),
        },
        **_truth(visits, costs),
    }
    _write(folder.parent / TRUTH, json.dumps(truth, indent=2).encode())
    counts = truth["rows"]
    say(f"wrote {counts['events']:,} events, {len(touches):,} touches, {len(costs):,} ad days to {folder}")
    keys = ("org", "platform", "account_id")
    accounts = [dict(zip(keys, account, strict=False)) for account in ACCOUNTS.values()]
    return deepcopy({"orgs": ORGS, "sites": SITES, "ad_accounts": accounts})


def _truth(visits: pl.DataFrame, costs: pl.DataFrame) -> dict:
    """What the files hold, and what really caused it; see `simulate_journeys` on why this is exact."""
    sold = visits.filter("converts").with_columns(
        value_micros=pl.col("cents") * 10_000,
        cause=pl.Series(CAUSES).gather(visits.filter("converts")["cause"]),
    )
    totals = [pl.len().alias("conversions"), pl.col("value_micros").sum()]

    def grouped(table: pl.DataFrame, by: list[str], *totals: pl.Expr) -> list[dict]:
        return table.group_by(by).agg(*totals).sort(by, nulls_last=True).to_dicts()

    return {
        "conversions": grouped(sold, ["org_id", "conversion_type", "currency"], *totals),
        "caused": grouped(sold, ["org_id", "cause", "currency"], *totals),
        "spend": grouped(costs, ["org_id", "platform", "currency"], pl.col("spend_micros").sum()),
        "touches": grouped(visits, ["org_id", "channel"], pl.len().alias("touches")),
    }


def _delivered(rng: np.random.Generator, web: pl.DataFrame, start: date, days: int) -> list[pl.DataFrame]:
    """The events in three files, by time; some late, that is in the next file, and some twice."""
    third = ((web["occurred_at"].dt.date() - start).dt.total_days().clip(0, days - 1) * 3 // days).to_numpy()
    third = np.minimum(third + (rng.random(len(web)) < LATE), 2)
    again = rng.random(len(web)) < REPEATED
    resent = np.minimum(third + (rng.random(len(web)) < 0.5), 2)  # in the same or in the next file
    return [
        pl.concat([web.filter(pl.Series(third == part)), web.filter(pl.Series(again & (resent == part)))])
        for part in range(3)
    ]


def _csv(table: pl.DataFrame) -> bytes:
    return table.write_csv(datetime_format=ZULU).encode()


def _gzipped_csv(table: pl.DataFrame) -> bytes:
    return gzip.compress(_csv(table), compresslevel=5, mtime=0)


def _parquet(table: pl.DataFrame) -> bytes:
    """Typed, as an export from a warehouse is: instants with a zone and decimals, where CSV has text."""
    buffer = io.BytesIO()
    table.with_columns(pl.col("value").cast(pl.Decimal(12, 2))).write_parquet(buffer)
    return buffer.getvalue()


def _ndjson(table: pl.DataFrame) -> bytes:
    """As a collector logs: absent fields left out, `properties` nested, instants with an offset, not Z."""
    local = pl.col("occurred_at").dt.convert_time_zone("Europe/Berlin").dt.strftime(OFFSET)
    lines = []
    for row in table.with_columns(occurred_at=local).iter_rows(named=True):
        given = {name: value for name, value in row.items() if value is not None}
        if "properties" in given:
            given["properties"] = json.loads(given["properties"])
        lines.append(json.dumps(given, ensure_ascii=False) + "\n")
    return "".join(lines).encode()


_FORMATS: dict[str, Callable[[pl.DataFrame], bytes]] = {
    ".csv.gz": _gzipped_csv,
    ".parquet": _parquet,
    ".ndjson": _ndjson,
}


def _write(path: Path, content: bytes) -> None:
    """Under a hidden name first: whoever watches the folder sees a whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.tmp")
    hidden.write_bytes(content)
    hidden.rename(path)


def simulate_interactions(interactions_path: Path, conversions_path: Path, *, interactions: int, seed: int = 7) -> None:
    """Bulk touches for benchmarks, as two Parquet files: about 7 touches a customer over 90 days in seven
    channels, and a conversion soon after every tenth touch.

    Ids become text only while streaming to disk: 10M rows take seconds and about 1 GB.
    """
    rng = np.random.default_rng(seed)
    channels = ["Paid Search", "Paid Social", "Organic Search", "Email", "Direct", "Display", "Affiliates"]
    platforms = ["google", "meta", None, None, None, "google", "everflow"]
    shares = [0.25, 0.2, 0.2, 0.1, 0.12, 0.08, 0.05]
    began, length = np.datetime64("2026-07-01", "ms").astype(np.int64), 90 * 86_400_000
    touches = pl.LazyFrame(
        {
            "row": np.arange(interactions, dtype=np.uint32),
            "lane": rng.choice(len(channels), interactions, p=shares).astype(np.uint8),
            "customer": rng.integers(0, max(interactions // 7, 1), interactions, dtype=np.uint32),
            "time": began + rng.integers(0, length, interactions),
            "campaign": rng.integers(0, 20, interactions, dtype=np.int32),
        }
    )

    def named(names: list[str | None]) -> pl.Expr:
        return pl.col("lane").replace_strict(range(len(names)), names, return_dtype=pl.String)

    _sink(
        interactions_path,
        touches.select(
            interaction_id=pl.format("i{}", "row"),
            occurred_at=pl.col("time").cast(pl.Datetime("ms", "UTC")),
            customer_id=pl.format("c{}", "customer"),
            touch_type=pl.lit("click"),
            channel=named(channels),
            platform=named(platforms),
            campaign_id=pl.when(named(platforms).is_not_null()).then(pl.format("{}-{}", "lane", "campaign")),
        ),
    )
    _sink(
        conversions_path,
        touches.filter(pl.col("row") % 10 == 0).select(
            conversion_id=pl.format("s{}", "row"),
            occurred_at=(pl.col("time") + 60_000 + pl.col("row") % 3_600_000).cast(pl.Datetime("ms", "UTC")),
            customer_id=pl.format("c{}", "customer"),
            value=((pl.col("row") % 19_997 + 500) / 100).cast(pl.Decimal(12, 2)),
        ),
    )


def _sink(path: Path, table: pl.LazyFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.tmp")
    table.sink_parquet(hidden)
    hidden.rename(path)
