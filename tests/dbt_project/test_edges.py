"""Test unusual input: days on which clocks change, currencies, the order and format of files, near-empty homes.

One home grows in steps: first events only, then everything but without one org in the settings, then with that org
again. A second home gets the same rows at once, shuffled, in other files and formats.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from io import StringIO
from pathlib import Path
from typing import NamedTuple, TextIO
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from rich.console import Console

from cli.run_summary import run_summary
from ingestion.attribution_models import built_in_models
from ingestion.home import Home
from tests.support.home import FORTNIGHT, differences, published, tables, tributary
from tests.support.models import Project, import_files
from tests.support.rounding import rounded

DAY = timedelta(days=1)
# org: time zone, and days on which its clocks change (India's never do)
ZONES = {
    "berlin": ("Europe/Berlin", [date(2026, 3, 29), date(2026, 10, 25)]),
    "kolkata": ("Asia/Kolkata", [date(2026, 3, 29), date(2026, 10, 25)]),
    "newyork": ("America/New_York", [date(2026, 3, 8), date(2026, 11, 1)]),
    "lordhowe": ("Australia/Lord_Howe", [date(2026, 4, 5), date(2026, 10, 4)]),
}
SETTINGS = "\n".join(
    [
        "orgs:",
        *(f"  - {{id: {org}, currency: EUR, timezone: {zone}}}" for org, (zone, _) in ZONES.items()),
        "  - {id: euros, currency: EUR, timezone: UTC}",
        "  - {id: dollars, currency: USD, timezone: UTC}",
        "sites:",
        *(f"  - {{id: {org}-shop, org: {org}}}" for org in [*ZONES, "euros", "dollars"]),
        "ad_accounts:",
        *(f"  - {{platform: {name}, account_id: '7', org: euros}}" for name in ("google", "meta", "tiktok")),
        "",
    ]
)
Row = dict[str, str]


# ---- the input, and the expected figures
class Sale(NamedTuple):
    """A conversion after one touch, and the days of both in the org's time zone."""

    org: str
    touched: date
    bought: date
    micros: int


def sales() -> Iterator[tuple[Sale, list[Row]]]:
    """Yield, around each change of clocks, a purchase at 23:30 and one at 00:30 that follows a touch at 23:30."""
    number = 0
    for org, (name, changes) in ZONES.items():
        zone = ZoneInfo(name)
        for day in (change + DAY * step for change in changes for step in (-1, 0, 1)):
            same_day = (datetime.combine(day, time(0, 5), zone), datetime.combine(day, time(23, 30), zone))
            overnight = (same_day[1], datetime.combine(day + DAY, time(0, 30), zone))
            for touched, bought in (same_day, overnight):
                number += 1
                shared = {"site_id": f"{org}-shop", "anon_id": f"v{number}"}
                page = {"type": "PAGE_VIEW", "url": "https://shop.example/?utm_source=news&utm_medium=email"}
                order = {"type": "CONVERSION", "value": f"{number}.000001", "currency": "EUR"}
                yield (
                    Sale(org, touched.date(), bought.date(), number * 1_000_000 + 1),
                    [
                        {**shared, **page, "event_id": f"p{number}", "occurred_at": touched.isoformat()},
                        {**shared, **order, "event_id": f"o{number}", "occurred_at": bought.isoformat()},
                    ],
                )


SALES = list(sales())
RATES = [
    ("2026-05-08", "EUR", "USD", "1.10"),  # a Friday
    ("2026-05-08", "EUR", "GBP", "0.85"),
    ("2026-05-08", "CHF", "EUR", "1.0512"),
    ("2026-05-11", "EUR", "USD", "1.20"),
    ("2026-05-11", "EUR", "GBP", "0.86"),
]
# org, id, day, value, currency, and what one unit is worth in the org's currency
ORDERS = [
    ("euros", "own", "2026-05-09", "50", "EUR", Fraction(1)),
    ("euros", "inverse-weekend", "2026-05-09", "100", "USD", 1 / Fraction("1.10")),
    ("euros", "inverse-monday", "2026-05-11", "100", "USD", 1 / Fraction("1.20")),
    ("euros", "as-given", "2026-05-10", "10.01", "CHF", Fraction("1.0512")),
    ("euros", "refund", "2026-05-11", "-20", "USD", 1 / Fraction("1.20")),
    ("euros", "later", "2026-05-20", "7.77", "GBP", 1 / Fraction("0.86")),
    ("euros", "too-early", "2026-05-07", "30", "USD", None),
    ("euros", "no-rate", "2026-05-09", "77", "BRL", None),
    ("dollars", "cross", "2026-05-10", "100", "GBP", Fraction("1.10") / Fraction("0.85")),
    ("dollars", "given-the-other-way", "2026-05-11", "3.33", "EUR", Fraction("1.20")),
]
SPEND = [
    ("2026-05-09", "google", "11", "USD", 1 / Fraction("1.10")),
    ("2026-05-09", "meta", "5.5", "EUR", Fraction(1)),
    ("2026-05-09", "tiktok", "9", "BRL", None),
]


def micros(amount: str, worth: Fraction | None) -> int:
    """Return the amount in the org's currency, 0 without a rate."""
    return rounded(Fraction(amount) * 1_000_000 * (worth or 0))


def rows(*names: str, values: list[tuple]) -> list[Row]:
    return [dict(zip(names, map(str, row), strict=False)) for row in values]


EVENTS = [event for _, events in SALES for event in events]
LATER = {
    "events": [{
        "event_id": "thanks", "site_id": "euros-shop", "type": "CONVERSION", "anon_id": "buyer",
        "occurred_at": "2026-05-09T08:00:00Z", "value": "40", "currency": "EUR", "order_id": "A-1",
    }],
    "conversions": [
        *rows("site_id", "conversion_id", "occurred_at", "value", "currency", "customer_id", values=[
            (f"{org}-shop", name, f"{day}T12:00:00Z", value, currency, f"c-{name}")
            for org, name, day, value, currency, _ in ORDERS
        ]),
        {  # the same order, as the shop exports it
            "site_id": "euros-shop", "conversion_id": "export-1", "occurred_at": "2026-05-09T08:05:00Z",
            "customer_id": "c-1", "value": "40", "currency": "EUR", "order_id": "A-1",
        },
    ],
    "spend": rows("account_id", "campaign_id", "date", "platform", "spend", "currency", values=[
        ("7", "1", *row) for row in SPEND
    ]),
    "exchange-rates": rows("date", "base", "quote", "rate", values=RATES),
}  # fmt: skip


# ---- files
def opened(path: Path, mode: str) -> TextIO:
    return gzip.open(path, mode, newline="") if path.suffix == ".gz" else path.open(mode, newline="")


def parsed(row: Row) -> dict:
    """Return the properties as NDJSON has them: an object."""
    return {"properties": json.loads(row["properties"])} if "properties" in row else {}


def write(path: Path, rows: list[Row]) -> None:
    """Write the rows in the format of the file's suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(name for row in rows for name in row))
    if path.suffix == ".ndjson":
        lines = [json.dumps({**row, **parsed(row)}) for row in rows]
        path.write_text("\n".join(lines))
    elif path.suffix == ".parquet":
        columns = {name: pl.Series([row.get(name) for row in rows], dtype=pl.String) for name in names}
        pl.DataFrame(columns).write_parquet(path)
    else:
        with opened(path, "wt") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(rows)


def read(path: Path) -> list[Row]:
    """Read the rows of a simulated file as text."""
    if path.suffix == ".ndjson":
        found = [json.loads(line) for line in path.read_text().splitlines()]
        for row in found:
            if "properties" in row:
                row["properties"] = json.dumps(row["properties"])
    elif path.suffix == ".parquet":
        instant = pl.col("occurred_at").dt.to_string("iso:strict")
        found = pl.read_parquet(path).with_columns(instant).to_dicts()
    else:
        with opened(path, "rt") as file:
            found = list(csv.DictReader(file))
    return [{name: str(value) for name, value in row.items() if value not in (None, "")} for row in found]


def on_one_line(text: str) -> str:
    return " ".join(text.split())


def summary(home: Path) -> str:
    """Return the summary that `tributary run` prints at its end, on one line."""
    console = Console(file=StringIO(), width=80, highlight=False)
    for part in run_summary(Home(home)):
        console.print(part)
    return on_one_line(console.file.getvalue())


# ---- a home that grows
class Grown(NamedTuple):
    """Summaries by step, the status after the first step, and a copy of the published files of each step."""

    home: Path
    summaries: dict[str, str]
    status: str
    kept: Path


@pytest.fixture(scope="module")
def grown(new_home: Callable[[str], Path], project: Project, tmp_path_factory: pytest.TempPathFactory) -> Grown:
    home, kept, summaries = new_home("edges"), tmp_path_factory.mktemp("kept"), {}

    def build(step: str) -> None:
        project.build_home(home)
        summaries[step] = summary(home)
        shutil.copytree(home / "published", kept / step / "published", symlinks=True)

    settings = home / "tributary.yaml"
    settings.write_text(SETTINGS)
    # Like many logs, New York's file has local times without a zone.
    local = [row for row in EVENTS if row["site_id"] == "newyork-shop"]
    write(kept / "local.csv", [{**row, "occurred_at": row["occurred_at"][:19]} for row in local])
    import_files(home, "events", kept / "local.csv", timezone="America/New_York")
    write(home / "inbox" / "events" / "zones.csv", [row for row in EVENTS if row not in local])
    build("events only")
    status = on_one_line(tributary(home, "status").stdout)

    for kind, more in LATER.items():
        write(home / "inbox" / kind / "later.csv", more)
    tributary(home, *FORTNIGHT)
    declared = settings.read_text()
    settings.write_text("".join(line for line in declared.splitlines(True) if "kolkata" not in line))
    build("org missing")
    settings.write_text(declared)
    build("org restored")
    return Grown(home, summaries, status, kept)


def test_events_without_spend(grown):
    text = grown.summaries["events only"]
    advice = "has no spend: cost, ROAS and waste stay empty. tributary import spend FILE"
    assert all(f"org {org} {advice}" in text for org in ZONES)
    assert "No waste is flagged." in text
    assert "Everything adds up" in text
    assert "has no spend" in grown.status
    with published(grown.kept / "events only") as marts:
        spend, cpa, sold = marts.execute(
            "select sum(spend_micros), max(cpa), sum(conversions) from daily_rollups"
            " where grain = 'AD' and accounting_mode = 'cash' and attribution_model = 'linear'"
        ).fetchone()
    assert (spend, cpa, sold) == (0, 0.0, len(SALES))


@pytest.mark.parametrize("mode", ["cash", "accrual"])
def test_every_event_counts_on_the_day_of_its_org(grown, mode):
    """23:30 belongs to that day and 00:30 to the next one, also around both changes of the clocks."""
    expected = Counter()
    for sale, _ in SALES:
        expected[sale.org, sale.bought if mode == "cash" else sale.touched] += sale.micros
    with published(grown.home) as marts:
        found = marts.execute(
            "select org_id, date, sum(conversion_value_micros) from daily_rollups"
            " where org_id in (select unnest(?)) and grain = 'ORGANIZATION' and accounting_mode = ?"
            " and attribution_model = 'last_touch' group by all",
            [list(ZONES), mode],
        ).fetchall()
    assert {row[:2]: row[2] for row in found} == expected


def test_a_conversion_has_the_date_of_its_org(grown):
    with published(grown.home) as marts:
        found = marts.execute(
            "select org_id, date, value_micros from conversions where org_id in (select unnest(?))",
            [list(ZONES)],
        ).fetchall()
    assert sorted(found) == sorted((sale.org, sale.bought, sale.micros) for sale, _ in SALES)


def test_orders_are_converted_with_the_rate_of_their_day(grown):
    with published(grown.home) as marts:
        found = marts.execute(
            "select org_id, conversion_id, value_micros, original_value_micros, original_currency"
            " from conversions where org_id in ('euros', 'dollars') and order_id is null"
        ).fetchall()
    assert sorted(found) == sorted(
        (org, name, micros(value, worth), micros(value, Fraction(1)), currency)
        for org, name, _, value, currency, worth in ORDERS
        if name != "refund"  # a negative amount without an order, which is in quarantine
    )


def test_amounts_in_two_currencies_sum_in_the_currency_of_the_org(grown):
    value, spend = Counter({date(2026, 5, 9): 40_000_000}), Counter()  # order A-1, once
    for org, name, day, amount, _, worth in ORDERS:
        if name == "refund":
            continue
        value[date.fromisoformat(day)] += micros(amount, worth) if org == "euros" else 0
    for day, _, amount, _, worth in SPEND:
        spend[date.fromisoformat(day)] += micros(amount, worth)
    with published(grown.home) as marts:
        found = marts.execute(
            "select grain, attribution_model, accounting_mode, date, sum(conversion_value_micros),"
            " sum(spend_micros) from daily_rollups where org_id = 'euros' group by all"
        ).fetchall()
    slices = defaultdict(dict)
    for *key, day, booked, spent in found:
        slices[tuple(key)][day] = (booked, spent)
    assert len(slices) == 5 * len(built_in_models()) * 2
    for days in slices.values():
        assert {day: booked for day, (booked, _) in days.items()} == {day: value[day] for day in days}
        assert {day: spent for day, (_, spent) in days.items()} == {day: spend[day] for day in days}
        assert days.keys() >= value.keys()


def test_money_without_a_rate_is_quarantined_and_noticed(grown):
    with published(grown.home) as marts:
        found = marts.execute(
            "select org_id, source, source_id, reason, currency, amount_micros from quarantine"
            " where org_id in ('euros', 'dollars') order by all"
        ).fetchall()
    assert found == [
        ("euros", "ad_spend", "tiktok/7/1/(unmatched)/(unmatched)", "no_exchange_rate", "BRL", 9_000_000),
        ("euros", "conversions", "export-1", "duplicate_order", "EUR", 40_000_000),
        ("euros", "conversions", "no-rate", "no_exchange_rate", "BRL", 77_000_000),
        ("euros", "conversions", "refund", "negative_value", "USD", -20_000_000),
        ("euros", "conversions", "too-early", "no_exchange_rate", "USD", 30_000_000),
    ]
    text = grown.summaries["org restored"]
    assert "2 rows (86.00 BRL) have no rate to EUR on or before their day, so their money counts as 0." in text
    assert "1 row (30.00 USD) has no rate to EUR" in text
    assert "tributary import exchange-rates FILE" in text


def test_an_order_that_event_and_export_report_counts_once(grown):
    with published(grown.home) as marts:
        found = marts.execute(
            "select conversion_id, value_micros from conversions where org_id = 'euros' and order_id = 'A-1'"
        ).fetchall()
    assert found == [("euros-shop:thanks", 40_000_000)]  # the earlier report


def test_an_org_missing_from_the_settings_is_excluded_and_named(grown):
    before, missing, restored = (grown.kept / step for step in ("events only", "org missing", "org restored"))
    rows = sum(row["site_id"] == "kolkata-shop" for row in EVENTS)
    notice = f"org kolkata has {rows} rows but is not in tributary.yaml, so the marts exclude it"
    assert [notice in grown.summaries[step.name] for step in (before, missing, restored)] == [False, True, False]
    its_file = Path("published", "orgs", "kolkata.duckdb")
    assert [(step / its_file).exists() for step in (before, missing, restored)] == [True, False, True]
    with published(missing) as marts, published(restored) as whole:
        for table in set(tables(marts)) - {"notices"}:
            if "org_id" in [row[0] for row in marts.execute(f"describe {table}").fetchall()]:
                count = f"select count(*) from {table} where org_id"
                assert marts.execute(f"{count} = 'kolkata'").fetchone() == (0,), table
                others = [each.execute(f"{count} <> 'kolkata'").fetchone() for each in (marts, whole)]
                assert others[0] == others[1], table
        assert whole.execute("select count(*) from conversions where org_id = 'kolkata'").fetchone() == (12,)


# ---- the same rows in other files
def test_shuffled_and_split_differently_publishes_the_same(grown, new_home, project):
    """The first home loaded them in two steps, and one of its orgs was missing from the settings in between."""
    home, pick = new_home("shuffled"), random.Random(5)
    (home / "tributary.yaml").write_text(SETTINGS)
    tributary(home, *FORTNIGHT)
    inbox = home / "inbox"
    for kind in ("events", "interactions", "conversions", "spend", "exchange-rates"):
        found = [row for path in sorted((inbox / kind).iterdir()) for row in read(path)]
        found += LATER.get(kind, []) + (EVENTS if kind == "events" else [])
        shutil.rmtree(inbox / kind)
        pick.shuffle(found)
        for part, suffix in enumerate((".parquet", ".ndjson", ".csv.gz", ".csv")):
            write(inbox / kind / f"{part}{suffix}", found[part::4])
    project.build_home(home)
    # Only spend_restatements depends on the order of loads: it records each change to a day that was loaded before.
    assert set(differences(grown.home, home)) <= {"spend_restatements"}
    with published(home) as marts:
        assert marts.execute("select count(*) from touchpoints").fetchone()[0] > 1_000


# ---- near-empty homes
class Little(NamedTuple):
    """A home with nothing but spend; the output of the first run, when it was empty, and what followed."""

    home: Path
    first_run: str
    status: str
    summary: str


@pytest.fixture(scope="module")
def little(new_home: Callable[[str], Path], project: Project) -> Little:
    home = new_home("little")
    first_run = on_one_line(tributary(home, "run").stdout)
    status = on_one_line(tributary(home, "status").stdout)
    write(home / "inbox" / "spend" / "only.csv", [
        {"date": "2026-05-09", "platform": "meta", "account_id": "1234", "campaign_id": "9",
         "currency": "USD", "spend": "12.345678", "impressions": "1000", "clicks": "10"},
    ])  # fmt: skip
    project.build_home(home)
    return Little(home, first_run, status, summary(home))


def test_an_empty_home_runs_and_names_the_next_command(little):
    assert "org default has neither touches nor spend yet: tributary import events FILE" in little.first_run
    assert "Published: " in little.first_run
    assert "No waste is flagged." in little.first_run
    assert "No row has failed." in little.status
    assert "org default has neither touches nor spend yet" in little.status


def test_spend_without_events(little):
    assert "org default has spend but no touches: everything is unattributed." in little.summary
    assert "neither touches nor spend" not in little.summary
    with published(little.home) as marts:
        found = marts.execute(
            "select distinct grain, spend_micros, conversions, cpa, roas, round(cpc, 9) from daily_rollups"
        ).fetchall()
    assert {row[0] for row in found} == {"ORGANIZATION", "PLATFORM", "CAMPAIGN", "ADSET", "AD"}
    assert {row[1:] for row in found} == {(12_345_678, 0, None, 0.0, 1.2345678)}


def test_one_org_has_one_file_that_holds_everything(little):
    home = little.home
    assert [path.name for path in (home / "published" / "orgs").iterdir()] == ["default.duckdb"]
    with published(home) as whole, published(home, "default") as own:
        assert tables(whole) == tables(own)
        rollups = "from daily_rollups order by all"
        assert whole.execute(rollups).fetchall() == own.execute(rollups).fetchall()
