"""Measure the import of one table of spend as a Google Ads report and as a contract CSV: seconds and peak memory.

    python bench/imports.py [--megabytes 1000]

The report is in German: decimal commas, semicolons, dates such as 31.07.2026, a title, and a total at the end.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import duckdb
from machine import machine

from ingestion.files.column_mapping import ImportOptions
from ingestion.files.load import import_file
from ingestion.home import Home
from ingestion.settings.model import Org, Settings
from ingestion.warehouse import connect

SETTINGS = Settings(orgs=[Org("default", "USD")])
ROW = 90  # bytes of a row of the contract, about
ROWS = """
    select date '2020-01-01' + (n // 10000)::integer as day, 10000000000 + n % 10000 as campaign,
        (n * 7919) % 1000000 as cents, n % 100000 as impressions, n % 977 as clicks
    from range({rows}) as numbers (n)
"""
CONTRACT = """
    select day as date, 'google' as platform, '5001' as account_id, campaign as campaign_id,
        'Campaign ' || campaign as campaign, 'EUR' as currency, (cents / 100)::decimal(18, 2) as spend,
        impressions, clicks
    from ({rows})
"""
REPORT = """
    select strftime(day, '%d.%m.%Y') as "Tag", 'Campaign ' || campaign as "Kampagne", campaign as "Kampagnen-ID",
        'EUR' as "Währungscode", replace((cents / 100)::decimal(18, 2)::varchar, '.', ',') as "Kosten",
        impressions as "Impr.", clicks as "Klicks"
    from ({rows})
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1000)
    rows = ROWS.format(rows=parser.parse_args().megabytes * 1_000_000 // ROW)
    print(machine())
    with tempfile.TemporaryDirectory(prefix="tributary-bench-") as folder:
        contract, report = Path(folder, "contract.csv"), Path(folder, "report.csv")
        body = Path(folder, "body.csv")
        duckdb.sql(f"copy ({CONTRACT.format(rows=rows)}) to '{contract}' (header)")
        duckdb.sql(f"copy ({REPORT.format(rows=rows)}) to '{body}' (header, delimiter ';')")
        with report.open("wb") as whole:
            whole.write(b"Kampagnenbericht\n01.01.2020 - 31.12.2022\n")
            with body.open("rb") as rest:
                while piece := rest.read(10_000_000):
                    whole.write(piece)
            whole.write(b"Gesamt: Kampagnen;--;--;EUR;1,00;1;1\n")
        body.unlink()
        seconds = {}
        for path in (contract, report, contract, report):
            context = multiprocessing.get_context("spawn")
            with context.Pool(1) as pool:  # a process of its own: the peak of memory is that of one import
                took, peak, loaded = pool.apply(measure, (path,))
            seconds.setdefault(path, []).append(took)
            size = path.stat().st_size / 1e6
            print(f"{path.stem:9} {size:7,.0f} MB  {loaded:11,} rows  {took:6.1f} s  {peak / 1e6:5.2f} GB")
        print(f"report : contract = {min(seconds[report]) / min(seconds[contract]):.2f}")


def measure(path: Path) -> tuple[float, float, int]:
    """Import the file into a new home. Return seconds, the peak of memory in KiB, and the loaded rows."""
    with tempfile.TemporaryDirectory(prefix="tributary-bench-") as folder:
        home = Home(Path(folder))
        home.temporary.mkdir(parents=True)
        with connect(home) as connection:
            started = time.perf_counter()
            (report,) = import_file(connection, path, SETTINGS, ImportOptions(constants={"account_id": "5001"}))
            took = time.perf_counter() - started
    return took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, report.loaded


if __name__ == "__main__":
    main()
