"""Measure API and dashboard on a year of daily rollups and on 10 million touchpoints: latency, pages, memory.

`tributary serve` runs in a process of its own, and the load generator on the same cores. The same run measures the same
SQL in a fresh DuckDB connection for each request. The published files are a simulated fortnight, enlarged by SQL
(serve_data.py).

    python bench/serve.py [--quick] [--source ORG.duckdb] [--large LARGE.duckdb]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import httpx
from collector import TRIBUTARY, Server, server
from machine import machine
from serve_data import enlarge

from ingestion.home import Home
from serving.dashboard.pages import page_titles
from serving.questions import load_questions

HERE = Path(__file__).parent
ORG, CLIENTS, PEOPLE, TOUCHPOINTS = "northwind", 16, 10, 10_000_000
YEAR = "dateRange=2025-07-15,2026-07-14"
ROLLUPS = [f"/api/rollups?org={ORG}&{YEAR}"]
WHOLE_YEAR = [f"/api/rollups?org={ORG}&{YEAR}&grain=PLATFORM&limit=10000"]
MODELS = ("linear", "first_touch", "last_touch", "time_decay", "position_based", "data_driven")
DIFFERENT = [  # more than a cache of answers can hold for long: each view is asked for the first time, or long ago
    f"/api/rollups?org={ORG}&dateRange=2025-07-{day:02},2026-{month:02}-{day:02}&model={model}&grain={grain}"
    for day in range(1, 29)
    for month in range(1, 8)
    for model in MODELS
    for grain in ("PLATFORM", "CAMPAIGN", "ADSET")
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short and small: to see that it works")
    parser.add_argument("--source", type=Path, help="a published file of org northwind; without it, one is simulated")
    parser.add_argument("--large", type=Path, help="an enlarged file of an earlier run")
    options = parser.parse_args()
    seconds = 2 if options.quick else 15
    print(machine())
    with tempfile.TemporaryDirectory(prefix="tributary-bench-") as name:
        folder = Path(name)
        source = options.source or simulated(folder / "simulated")
        year = home_of(folder / "year")
        rows = enlarge(source, file_of(year), 0)
        print(
            f"\na year: {rows['rollup_spend']:,} rows of spend, {rows['touchpoints']:,} touchpoints (enlarged by SQL)"
        )
        measure_api(year, seconds, 3 if options.quick else 60)
        measure_pages(year)
        if options.quick:
            return
        large = home_of(folder / "large")
        if options.large:
            os.link(options.large, file_of(large))
        else:
            enlarge(source, file_of(large), TOUCHPOINTS)
        with duckdb.connect(str(file_of(large)), read_only=True) as connection:
            (touches,) = connection.execute("select count(*) from touchpoints").fetchone()
        print(f"\n{touches:,} touchpoints, {file_of(large).stat().st_size / 1e6:,.0f} MB (enlarged by SQL)")
        with serve(large) as running:
            load("rollups of a year", running, seconds, ROLLUPS)
        measure_pages(large)


def simulated(folder: Path) -> Path:
    """Return the published file of a simulated and built fortnight."""
    home_of(folder)
    for arguments in (("simulate", "--days", "14", "--events", "3000"), ("run",)):
        environment = {**os.environ, "TRIBUTARY_HOME": str(folder), "PYTHONPATH": str(HERE.parent)}
        subprocess.run([TRIBUTARY, *arguments], env=environment, stdout=subprocess.DEVNULL, check=True)
    return folder / "published" / "orgs" / f"{ORG}.duckdb"


def home_of(folder: Path) -> Home:
    """Return a home folder without published files."""
    os.environ["TRIBUTARY_HOME"] = str(folder)
    (folder / "published" / "orgs").mkdir(parents=True)
    return Home.from_environment()


def file_of(home: Home) -> Path:
    return home.published / "orgs" / f"{ORG}.duckdb"


@contextmanager
def serve(home: Home) -> Iterator[Server]:
    """Run the real server."""
    with server([TRIBUTARY, "serve", "--port"], home) as running:
        yield running


def measure_api(home: Home, seconds: float, long: float) -> None:
    """Measure the API, alone and during publications, and the alternative."""
    print(f"{f'{CLIENTS} clients':<52}{'answers/s':>10}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}{'max ms':>8}   target")
    with serve(home) as running:
        ours = load("rollups of a year, a page of 100", running, seconds, ROLLUPS)
        with publications(home):
            load("  while versions are published", running, long, ROLLUPS, "p99 50", "--check")
            load("  while versions are published, at 100 a second", running, long, ROLLUPS, "p99 50", "--pause", "0.16")
        load("a year by platform in one answer", running, seconds, WHOLE_YEAR)
        first = load("each request another view", running, seconds, DIFFERENT)
        with publications(home):
            load("  at 20 a second, while versions are published", running, long, DIFFERENT, "", "--pause", "0.8")
        print(f"  memory of the server: {memory(running.process.pid)}")
    with server([sys.executable, HERE / "serve_plain.py"], home, file_of(home)) as running:
        plain = load("fresh connections: rollups of a year", running, seconds, ROLLUPS)
        other = load("fresh connections: each request another view", running, seconds, DIFFERENT)
    for views, one, two in (("same view", ours, plain), ("other views", first, other)):
        ratio = one["requests_per_second"] / two["requests_per_second"]
        print(f"  {views}: answers a second of tributary / fresh connections: {ratio:.2f}")


def load(name: str, running: Server, seconds: float, paths: list[str], target: str = "", *options: str) -> dict:
    """Run the load generator against a server, and print its figures."""
    command = [sys.executable, HERE / "serve_load.py", running.address, f"--seconds={seconds}",
               f"--connections={CLIENTS}", *options]  # fmt: skip
    done = subprocess.run(command, input="\n".join(paths), stdout=subprocess.PIPE, text=True, check=True)
    report = json.loads(done.stdout)
    if report["faults"]:
        sys.exit(f"{name}: {report['faults']}")
    figures = "".join(f"{report[column]:>8.1f}" for column in ("p50_ms", "p95_ms", "p99_ms", "max_ms"))
    versions = f" {report['versions']} versions" if report["versions"] > 1 else ""
    print(f"  {name:<50}{report['requests_per_second']:>10,.0f}{figures}   {target}{versions}", flush=True)
    return report


@contextmanager
def publications(home: Home) -> Iterator[None]:
    """Publish a version every five seconds, as publish.py does: write a file, make it durable, rename it."""
    stop = threading.Event()

    def publish() -> None:
        while not stop.wait(5):
            republish(home)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def republish(home: Home) -> None:
    """Publish the next version with the same rows."""
    fresh = home.root / "fresh.duckdb"
    shutil.copyfile(file_of(home), fresh)
    with duckdb.connect(str(fresh)) as connection:
        connection.execute("update meta set version = version + 1")
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(file_of(home))


def measure_pages(home: Home) -> None:
    """Measure each page, cold after a publication and warm, and the memory with people who click around."""
    titles = page_titles(home.root / "pages")
    print(f"  {'page':<40}{'cold ms':>10}{'warm ms':>10}   target: cold 1000, warm 500")
    with serve(home) as running, httpx.Client(base_url=f"http://{running.address}", timeout=120) as http:
        for page in titles:
            republish(home) if file_of(home).stat().st_size < 1e8 else reopen(home)
            times = [seconds_of(http, f"/{page}?org={ORG}&from=2026-04-01") for _ in range(8)]
            print(f"  {page:<40}{times[0] * 1000:>10.0f}{statistics.median(times[1:]) * 1000:>10.0f}", flush=True)
        before = memory(running.process.pid)
        spent = click_around(running, list(titles))
        print(f"  {PEOPLE} people, {len(spent)} clicks: p50 {statistics.median(spent) * 1000:.0f} ms,"
              f" p95 {sorted(spent)[len(spent) * 95 // 100] * 1000:.0f} ms; memory {before} before,"
              f" {memory(running.process.pid)} after")  # fmt: skip


def reopen(home: Home) -> None:
    """Make the server open the file anew, as after a publication: its time differs."""
    os.utime(file_of(home))


def seconds_of(http: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    http.get(path).raise_for_status()
    return time.perf_counter() - began


def click_around(running: Server, pages: list[str], seconds: float = 20) -> list[float]:
    """Return the seconds of each click of ten people, who read for two seconds and then choose something else."""
    spent: list[float] = []
    questions = [name for name in load_questions() if name != "status"]

    def person(number: int) -> None:
        dice, end = random.Random(number), time.monotonic() + seconds
        with httpx.Client(base_url=f"http://{running.address}", timeout=120) as http:
            while time.monotonic() < end:
                query = f"org={ORG}&from=2026-0{dice.randrange(1, 7)}-01&model={dice.choice(MODELS)}"
                page = dice.choice([*pages, *pages, f"explain/{dice.choice(questions)}"])
                spent.append(seconds_of(http, f"/{page}?{query}"))
                time.sleep(dice.uniform(0, 4))

    people = [threading.Thread(target=person, args=(number,)) for number in range(PEOPLE)]
    for each in people:
        each.start()
    for each in people:
        each.join()
    return spent


def memory(pid: int) -> str:
    """Return the resident memory of a process and its peak."""
    found = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    now, peak = (int(found[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM"))
    return f"{now} MB (peak {peak} MB)"


if __name__ == "__main__":
    main()
