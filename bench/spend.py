"""Measure a year of spend of 1,000 ad accounts (10 million rows): seconds and peak memory.

    python bench/spend.py [pulls] [build] [--accounts 1000] [--ads 28] [--days 365] [--by-account]

pulls: pulls into the year, beside a delete and insert of the same day in bare DuckDB, which keeps no history and checks
nothing. build: import the year and build daily_rollups, then query the rollups of an org with 1,000 ads.
--by-account: for pulls, the year lies in the table account by account, as a backfill leaves it; else day by day.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path

import duckdb
import rollups
from machine import machine

from ingestion.files.content_hash import content_hash
from ingestion.files.contracts import CONTRACTS
from ingestion.home import Home
from ingestion.settings.model import Org, Settings
from ingestion.spend.pulls import Pull, load_pulls
from ingestion.warehouse import connect

SETTINGS = Settings(orgs=[Org("default", "USD")])
START = date(2025, 7, 1)
COLUMNS = ("date", "account_id", "currency", "spend_micros", "campaign_id", "campaign", "adset_id", "adset", "ad_id",
           "ad", "impressions", "clicks")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=["pulls", "build"], default=["pulls", "build"])
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--ads", type=int, default=28, help="of each account")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--by-account", action="store_true")
    options = parser.parse_args()
    accounts, ads, days = options.accounts, options.ads, options.days
    print(machine())
    if "pulls" in options.parts:
        measure_pulls(accounts, ads, days, options.by_account)
    if "build" in options.parts:
        measure_build(accounts, ads, days)


def measure_pulls(accounts: int, ads: int, days: int, by_account: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="tributary-bench-") as folder:
        root = Path(folder)
        fill(Home(root), accounts, ads, days, "account_id, date" if by_account else "date, account_id")
        shutil.copy(root / "warehouse.duckdb", root / "bare.duckdb")
        last, new = START + timedelta(days=days - 1), START + timedelta(days=days)
        print(f"{accounts * ads * days:,} rows, lying {'account by account' if by_account else 'day by day'}")
        print(f"  {'':<50}{'rows':>9}{'seconds':>9}{'peak GiB':>10}")
        month = last - timedelta(days=27)
        steps = (
            ("a day that is new", new, new, "1"),
            ("the last day, every row restated", last, last, "2"),
            ("the last day, unchanged", last, last, "2"),
            ("28 days, one row in ten restated", month, last, "if(ad % 10 = 0, 3, if(day = {last}, 2, 1))"),
        )
        for what, first, until, factor in steps:
            files = root / "rows"
            rows = write(files, spend(accounts, ads, first, until, factor.format(last=f"'{last}'::date")))
            seconds = report(what, rows, pull, root, files, first, until)
            if what.startswith("the last day, every"):
                merged = seconds
                bare = report("  the same in bare DuckDB: delete, insert", rows, plain, root, files, last, last)
            shutil.rmtree(files)
        print(f"  the merge of a day takes {merged / bare:.1f} times as long as bare DuckDB")


def measure_build(accounts: int, ads: int, days: int) -> None:
    last = START + timedelta(days=days - 1)
    small = -(-1000 // ads)  # accounts of the org with 1,000 ads; their ids follow those of the other accounts
    queries = {
        "default": spend(accounts, ads, START, last, "1"),
        rollups.SMALL_ORG: spend(small, ads, START, last, "1", first_account=accounts),
    }
    print(f"{(accounts + small) * ads * days:,} ad days from file to daily_rollups")
    with tempfile.TemporaryDirectory(prefix="tributary-bench-") as folder:
        counts = {"default": accounts * ads, rollups.SMALL_ORG: small * ads}
        rollups.build(Path(folder) / "home", queries, counts, START, last)


def spend(accounts: int, ads: int, first: date, last: date, factor: str, *, first_account: int = 0) -> str:
    """SQL of the rows of these days."""
    return f"""
        select day::date as date, 'act_' || lpad(account::varchar, 6, '0') as account_id, 'USD' as currency,
            (hash(account, ad, day) % 50_000_000)::bigint * ({factor}) as spend_micros,
            (account * 1000 + ad // 9)::varchar as campaign_id, 'Campaign ' || (ad // 9) as campaign,
            (account * 1000 + ad // 3)::varchar as adset_id, 'Ad set ' || (ad // 3) as adset,
            (account * 1000 + ad)::varchar as ad_id, 'Ad ' || ad as ad,
            (hash(ad, account, day) % 10_000)::bigint as impressions, (hash(ad, day) % 100)::bigint as clicks
        from range({first_account}, {first_account + accounts}) as a (account), range({ads}) as b (ad),
            range('{first}'::date, '{last}'::date + 1, interval 1 day) as c (day)
    """


def fill(home: Home, accounts: int, ads: int, days: int, order: str) -> None:
    """The year, as if it had been pulled."""
    contract = CONTRACTS["spend"]
    home.temporary.mkdir(parents=True, exist_ok=True)
    with connect(home) as connection:
        missing = [column.stored for column in contract.columns if column.stored not in (*COLUMNS, "platform")]
        nulls = ", ".join(f"null as {name}" for name in (*missing, "properties"))
        hashed = ("org_id", *(column.stored for column in contract.columns), "properties")
        connection.execute(
            f"insert into raw.ad_spend by name select *, {content_hash({name: name for name in hashed}, contract)}"
            f" as _content_hash, 'year' as _load_id, '2026-06-30'::timestamp as _loaded_at from ("
            f" select 'default' as org_id, 'meta' as platform, *, {nulls}"
            f" from ({spend(accounts, ads, START, START + timedelta(days=days - 1), '1')}) order by {order})"
        )


def write(folder: Path, query: str) -> int:
    """A file an account, as a connector's rows are spooled; the number of rows."""
    folder.mkdir()
    rows = 0
    for account, its in groupby(sorted_rows(query), key=lambda row: row[1]):
        with (folder / f"{account}.ndjson").open("w") as file:
            for row in its:
                rows += 1
                file.write(json.dumps(dict(zip(COLUMNS, row, strict=True)), default=str) + "\n")
    return rows


def sorted_rows(query: str) -> Iterator[tuple]:
    with duckdb.connect() as connection:
        result = connection.execute(f"{query} order by account_id")
        while rows := result.fetchmany(10_000):
            yield from rows


def report(what: str, rows: int, step: Callable[..., float], *arguments: object) -> float:
    """Run a step in a process of its own, so that its memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, peak = pool.apply(measured, (step, *arguments))
    print(f"  {what:<50}{rows:>9,}{seconds:>9.2f}{peak:>10.2f}", flush=True)
    return seconds


def measured(step: Callable[..., float], *arguments: object) -> tuple[float, float]:
    """Seconds, and the peak of this process in GiB: getrusage would give the peak of the one that started it."""
    seconds = step(*arguments)
    status = Path("/proc/self/status").read_text()
    (peak,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return seconds, int(peak) / 2**20


def pull(root: Path, files: Path, first: date, last: date) -> float:
    """Seconds of the merge, from an open warehouse to the commit."""
    now = datetime.now(UTC)
    request = {"org": "default", "platform": "meta", "start": first, "end": last, "started_at": now}
    pulls = [(Pull(account_id=path.stem, **request), path) for path in sorted(files.iterdir())]
    with connect(Home(root)) as connection:
        started = time.monotonic()
        reports = load_pulls(connection, pulls, SETTINGS)
        seconds = time.monotonic() - started
    assert all(report.status == "loaded" for report in reports), next(r for r in reports if r.status != "loaded")
    return seconds


def plain(root: Path, files: Path, first: date, last: date) -> float:
    listed = f"read_json('{files}/*.ndjson', format = 'newline_delimited')"
    with duckdb.connect(str(root / "bare.duckdb")) as connection:
        started = time.monotonic()
        connection.execute(
            f"""
            begin;
            delete from raw.ad_spend where platform = 'meta' and date between '{first}' and '{last}';
            insert into raw.ad_spend by name
            select 'default' as org_id, 'meta' as platform, *, md5(to_json(rows)) as _content_hash, 'plain' as _load_id,
                now() as _loaded_at
            from {listed} as rows;
            commit
            """
        )
        return time.monotonic() - started


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).parent))
    main()
