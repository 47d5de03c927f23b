"""Write a quarter of simulated marketing, with a known ground truth, as input files.

In: a seed and a period. Out: `folder/<kind>/<name>` for six input contracts, the entries of tributary.yaml for them,
and `simulated_truth.json` beside the folder, to reconcile with the loaded rows.

    campaigns.py, world.py   orgs, sites, ads, sendings     input_rows.py        visits -> events, offline orders
    calendar_days.py         promotion, bad week, mailings  interaction_rows.py  visits -> views, e-mails, calls
    visits.py, sendings.py   people -> visits               spend.py             visits -> spend, exchange rates
    purchases.py             visits -> orders and causes    bots.py              crawlers
    journeys.py              all of these three             mistakes.py          mistakes that input checks find
    truth.py                 the ground truth

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
from typing import Any

import numpy as np
import polars as pl

from ingestion.simulator.bots import add_bots
from ingestion.simulator.calendar_days import calendar_of
from ingestion.simulator.input_rows import add_identifiers, add_sources, offline_conversions, web_events
from ingestion.simulator.interaction_rows import interactions
from ingestion.simulator.journeys import simulate_journeys
from ingestion.simulator.mistakes import add_own_links, planted_mistakes, refunds_of_unknown_orders
from ingestion.simulator.spend import daily_spend, exchange_rates
from ingestion.simulator.truth import ground_truth, special_days
from ingestion.simulator.world import ACCOUNTS, DEFINITIONS, ORGS, SITES

ZULU, OFFSET = "%Y-%m-%dT%H:%M:%S%.3fZ", "%Y-%m-%dT%H:%M:%S%.3f%:z"
LATE, REPEATED = 0.005, 0.004  # shares of a file's events: delivered with the next file, delivered twice
TRUTH = "simulated_truth.json"


def simulate(
    folder: Path,
    *,
    seed: int = 7,
    start: date = date(2026, 7, 1),
    days: int = 92,
    events: int = 240_000,
    log: Callable[[str], None] = lambda message: None,
) -> dict[str, list[dict[str, Any]]]:
    """Write at least `events` web events, and the files that belong to them, into `folder` (an inbox).

    Return the entries of tributary.yaml for these files, by section: orgs, sites, ad_accounts, conversion_definitions.
    """
    if days < 7 or events < 100:
        raise ValueError(f"days={days}, events={events}. Simulate at least 7 days and 100 events")
    rng = np.random.default_rng(seed)
    calendar = calendar_of(start, days)
    journeys, opened = simulate_journeys(rng, calendar, events)
    visits = add_identifiers(rng, add_sources(journeys, calendar.sendings))
    log(f"simulated {len(visits):,} visits of {visits['person'].n_unique():,} people in {days} days")
    people = add_own_links(web_events(rng, visits))
    web = add_bots(rng, people, calendar)
    files = _split_into_files(rng, web, start, days)
    costs = daily_spend(rng, visits, calendar)
    orders = offline_conversions(rng, visits)
    touches = interactions(rng, visits, add_sources(opened, calendar.sendings))
    refunds = refunds_of_unknown_orders(start)

    months = [start + timedelta(days * part // 3) for part in range(3)]
    for month, (suffix, encode), table in zip(months, _FORMATS.items(), files, strict=True):
        _write(folder / "events" / f"events_{month}{suffix}", encode(table))
    for kind, table in {
        "interactions": touches,
        "conversions": orders,
        "spend": costs.drop("spend_micros", "org_id"),
        "refunds": refunds,
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
        **ground_truth(visits, costs),
        **special_days(journeys, calendar),
        "bots": {"events": len(web) - len(people)},
        "planted_mistakes": planted_mistakes(people, refunds),
    }
    _write(folder.parent / TRUTH, json.dumps(truth, indent=2).encode())
    log(f"wrote {sum(map(len, files)):,} events, {len(touches):,} touches, {len(costs):,} ad days to {folder}")
    log(f"wrote the true causes of the orders to {folder.parent / TRUTH}")
    keys = ("org", "platform", "account_id")
    accounts = [dict(zip(keys, account, strict=False)) for account in ACCOUNTS.values()]
    entries = {"orgs": ORGS, "sites": SITES, "ad_accounts": accounts, "conversion_definitions": DEFINITIONS}
    return deepcopy(entries)


def _split_into_files(rng: np.random.Generator, web: pl.DataFrame, start: date, days: int) -> list[pl.DataFrame]:
    """Split the events into three files by time. Deliver some late, with the next file, and some twice."""
    third = ((web["occurred_at"].dt.date() - start).dt.total_days().clip(0, days - 1) * 3 // days).to_numpy()
    third = np.minimum(third + (rng.random(len(web)) < LATE), 2)
    is_repeated = rng.random(len(web)) < REPEATED
    resent = np.minimum(third + (rng.random(len(web)) < 0.5), 2)  # with the same or the next file
    return [
        pl.concat([web.filter(pl.Series(third == part)), web.filter(pl.Series(is_repeated & (resent == part)))])
        for part in range(3)
    ]


def _csv(table: pl.DataFrame) -> bytes:
    return table.write_csv(datetime_format=ZULU).encode()


def _gzipped_csv(table: pl.DataFrame) -> bytes:
    return gzip.compress(_csv(table), compresslevel=5, mtime=0)


def _parquet(table: pl.DataFrame) -> bytes:
    """Return a typed file, as a warehouse exports it: zoned timestamps and decimals instead of text."""
    buffer = io.BytesIO()
    table.with_columns(pl.col("value").cast(pl.Decimal(12, 2))).write_parquet(buffer)
    return buffer.getvalue()


def _ndjson(table: pl.DataFrame) -> bytes:
    """Return a file as a collector logs it: no absent fields, nested `properties`, times with an offset."""
    local = pl.col("occurred_at").dt.convert_time_zone("Europe/Berlin").dt.strftime(OFFSET)
    lines = []
    for row in table.with_columns(occurred_at=local).iter_rows(named=True):
        present = {name: value for name, value in row.items() if value is not None}
        if "properties" in present:
            present["properties"] = json.loads(present["properties"])
        lines.append(json.dumps(present, ensure_ascii=False) + "\n")
    return "".join(lines).encode()


_FORMATS: dict[str, Callable[[pl.DataFrame], bytes]] = {
    ".csv.gz": _gzipped_csv,
    ".parquet": _parquet,
    ".ndjson": _ndjson,
}


def _write(path: Path, content: bytes) -> None:
    """Write under a hidden name, then rename: a program that watches the folder sees a complete file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.tmp")
    hidden.write_bytes(content)
    hidden.rename(path)
