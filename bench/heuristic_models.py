"""Compare Tributary's attribution model with other implementations in one run: seconds, memory and the same credit.

In: simulated journeys, 100k, 1M and 10M by default. Out: a table for each size, and the cost curve.

    python bench/heuristic_models.py [--journeys 100000 --journeys 1000000] [--only pandas] [--limit 600] [--plot X.svg]

The peers are installed into virtual environments of their own in a temporary folder, and each runs in its own process.
heuristic_peers.py states what each one computes. An implementation is skipped at a size if ten times its last size
would exceed the limit of seconds, or the memory.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from dbt_build import build_models
from heuristic_peers import IMPLEMENTATIONS, LOOKBACK_DAYS, MODELS, Credit
from machine import machine
from statement import MODEL, steps, timed

from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.settings.raw_tables import store_settings
from ingestion.warehouse import connect, memory_limit

PEERS = Path(__file__).with_name("heuristic_peers.py")
# The libraries of an implementation, unless this environment has them. MAM is marketing-attribution-models.
REQUIREMENTS = {
    "pandas": ["pandas", "pyarrow"],
    "ChannelAttribution": ["ChannelAttribution", "matplotlib", "pandas", "pyarrow"],
    "MAM 1": ["marketing-attribution-models==1.0.10", "pandas<2", "numpy<2", "matplotlib<3.8", "pyarrow<15"],
    "MAM 2": ["marketing-attribution-models==2.1.1", "pyarrow"],
}
AIMS = {"by hand": 0.67, "pandas": 20, "MAM 1": 100}  # least `times`; ours is 1.5 times the statement by hand
WINDOW_MODEL, WINDOW_AIM = "int_window_credit", 3
TOLERANCE = 1e-9  # of the conversions of a channel, as a share of all conversions


class Figures(NamedTuple):
    """One implementation at one size: seconds, those of all CPUs, GiB at the peak, and its credit."""

    prepare: float
    seconds: float
    cpu: float
    peak: float
    credit: Credit


def main() -> None:
    """Measure each size, print its table, and draw the curve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--journeys", type=int, action="append", help="number of journeys, about 4 touches each")
    parser.add_argument("--only", choices=IMPLEMENTATIONS, action="append", help="beside Tributary; repeatable")
    parser.add_argument("--limit", type=float, default=600, metavar="SECONDS", help="of one implementation and size")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the cost curve into this .svg or .png")
    options = parser.parse_args()
    sizes = sorted(options.journeys or [100_000, 1_000_000, 10_000_000])
    names = [name for name in IMPLEMENTATIONS if name == "Tributary" or not options.only or name in options.only]
    print(f"{machine()}, load {os.getloadavg()[0]:.1f}: compare CPU seconds if it is above 0.5")
    curve: dict[str, dict[int, float]] = {}
    with tempfile.TemporaryDirectory(prefix="tributary-bench-") as folder:
        root = Path(folder)
        home = build_empty(root / "home")
        interpreters = install(root, names)
        last: dict[str, tuple[int, Figures]] = {}
        for size in sizes:
            data = root / str(size)
            touches = write_journeys(data, size)
            fill_warehouse(home, data)
            print(f"\n{size:,} journeys, {touches:,} touches\n{HEADER}", flush=True)
            for name, python in interpreters.items():
                if reason := too_large(last.get(name), size, options.limit):
                    print(f"  {name:<20}skipped: {reason}", flush=True)
                elif isinstance(figures := measure(name, python, data), str):
                    print(f"  {name:<20}failed: {figures}", flush=True)
                    last[name] = (size, Figures(0, float("inf"), 0, 0, {}))
                else:
                    last[name] = (size, figures)
                    curve.setdefault(name, {})[size] = figures.cpu
                    print(row(name, figures, last["Tributary"][1]), flush=True)
            print_windows(home, data)
            shutil.rmtree(data)
    print_curve(curve)
    if options.plot:
        draw(curve, options.plot)


def build_empty(root: Path) -> Home:
    """Return a home with the empty tables that the model reads, and with the model's SQL compiled."""
    home = Home(root)
    home.temporary.mkdir(parents=True)
    (root / "tributary.yaml").write_text("orgs: [{id: default, currency: USD}]\n")
    with connect(home) as connection:
        store_settings(connection, load_settings(home))
    variables = {"attribution_models": MODELS}
    build_models(home, f"+{MODEL}", f"+{WINDOW_MODEL}", "+conversions", "+touchpoints", variables=variables)
    return home


def install(root: Path, names: Sequence[str]) -> dict[str, Path]:
    """Return the interpreter of each implementation. One that cannot be installed gives a line instead."""
    uv, found = Path(sys.executable).with_name("uv"), {}
    for name in names:
        python = Path(sys.executable)
        if requirements := REQUIREMENTS.get(name):
            python = root / "environments" / name.replace(" ", "-") / "bin" / "python"
            subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, python.parents[1]], check=True)
            command = [uv, "pip", "install", "--quiet", "--system-certs", "--python", python, *requirements]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{name}: not installed: {done.stderr.strip().splitlines()[-1]}")
                continue
        found[name] = python
    return found


def write_journeys(folder: Path, journeys: int) -> int:
    """Write conversions of as many people, and their touches in order of time; return the number of touches.

    A journey has 1 to 12 touches, about 4, within 28 days. No two are at the same time: libraries have no rule for it.
    """
    folder.mkdir()
    people = f"(select range as journey, hash(range) as dice from range({journeys}))"
    moment = "timestamp '2026-07-01' + to_seconds((dice % 5184000)::bigint + 2592000)"
    channels = ["Paid Search", "Paid Social", "Organic Search", "Email", "Direct", "Display", "Affiliates", "Referral"]
    queries = {
        "conversions": f"""
            select 's' || journey as conversion_id, 'c' || journey as person_key, {moment} as occurred_at,
                ((dice % 19997 + 500) * 10000)::bigint as value_micros
            from {people}
        """,
        "touches": f"""
            with lengths as (
                select *, least(1 - 3.6 * ln((dice // 64 % 100000 + 1) / 100001), 12)::bigint as touches from {people}
            ),
            numbered as (
                select *, unnest(range(touches)) as number from lengths
            ),
            drawn as (
                select *, hash(journey * 12 + number) as draw from numbered
            )
            select 't' || journey || '-' || number as touchpoint_id, 'c' || journey as person_key,
                {moment} - to_seconds((draw % 201599 * 12 + number + 1)::bigint) as occurred_at,
                {channels}[(1 + draw // 262144 % {len(channels)})::bigint] as channel, channel = 'Direct' as is_direct
            from drawn
            order by occurred_at
        """,
    }
    with duckdb.connect(config={"memory_limit": memory_limit(), "temp_directory": str(folder)}) as connection:
        for name, query in queries.items():
            connection.execute(f"copy ({query}) to '{folder / name}.parquet' (format parquet)")
        return connection.execute(f"select count(*) from '{folder}/touches.parquet'").fetchone()[0]


def fill_warehouse(home: Home, data: Path) -> None:
    """Copy the warehouse, replace its touches and conversions by the journeys, and write the model's SQL beside it."""
    shutil.copyfile(home.warehouse, data / home.warehouse.name)
    (data / "model.json").write_text(json.dumps(steps(home, MODEL, "result")))
    tables = {
        "intermediate.int_touchpoints": f"""
            select *, 'default' as org_id, 'click' as touch_type, '(organic)' as platform from '{data}/touches.parquet'
        """,
        "intermediate.int_defined_conversions": f"""
            select *, 'default' as org_id, occurred_at::date as date, 'purchase' as conversion_type,
                true as is_first_conversion, {LOOKBACK_DAYS} as lookback_days, 'before' as touches
            from '{data}/conversions.parquet'
        """,
    }
    config = {"memory_limit": memory_limit(), "temp_directory": str(data / "tmp")}
    with duckdb.connect(str(data / home.warehouse.name), config=config) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table, query in tables.items():
            connection.execute(f"create or replace table {table} as from {table} limit 0")
            connection.execute(f"insert into {table} by name {query}")
        for mart, table in (("touchpoints", "int_touchpoints"), ("conversions", "int_defined_conversions")):
            view = connection.execute("select 1 from duckdb_views() where view_name = ?", [mart]).fetchone()
            connection.execute(f"drop {'view' if view else 'table'} marts.{mart}")
            connection.execute(f"create view marts.{mart} as from intermediate.{table}")


def too_large(last: tuple[int, Figures] | None, size: int, limit: float) -> str | None:
    """Return why an implementation is skipped at a size, given its last one; None to measure it."""
    if last is None:
        return None
    growth, figures = size / last[0], last[1]
    if (seconds := growth * (figures.prepare + figures.seconds)) > limit:
        return f"about {seconds:,.0f} s" if figures.credit else "it failed at a smaller size"
    available = int(Path("/proc/meminfo").read_text().split("MemAvailable:")[1].split()[0]) / 2**20
    return f"about {growth * figures.peak:.0f} GiB" if growth * figures.peak > 2 * available else None


def measure(name: str, python: Path, data: Path) -> Figures | str:
    """Return the figures of an implementation, or the last line of its error."""
    done = subprocess.run([python, PEERS, name, data], capture_output=True, text=True, check=False)
    if done.returncode:
        return (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


COLUMNS = f"{'models':>7}{'prepare s':>11}{'seconds':>9}{'of CPU':>8}{'peak GiB':>10}{'times':>8}{'of CPU':>8}"
HEADER = f"  {'':<20}{COLUMNS}  credit"


def row(name: str, figures: Figures, ours: Figures) -> str:
    """Return a line of the table: `times` are ratios to Tributary's seconds, with the aim where there is one."""
    assert ours.credit["linear"], "Tributary found no touches"
    line = f"  {name:<20}{len(figures.credit):>7}{figures.prepare:>11.1f}{figures.seconds:>9.2f}{figures.cpu:>8.2f}"
    line += f"{figures.peak:>10.2f}{figures.seconds / ours.seconds:>8.2f}{figures.cpu / ours.cpu:>8.2f}"
    line += f"  {difference(figures.credit, ours.credit)}"
    return line + (f" (aim: {AIMS[name]})" if name in AIMS else "")


def difference(credit: Credit, ours: Credit) -> str:
    """Return whether the credit of all common models is the same, else each model and its largest difference."""
    found = []
    for model, channels in credit.items():
        total = sum(ours[model].values())
        names = channels.keys() | ours[model].keys()
        largest = max(abs(channels.get(name, 0) - ours[model].get(name, 0)) for name in names) / total
        if largest > TOLERANCE:
            found.append(f"{model} by {largest:.0e}")
    return f"differs: {', '.join(found)}" if found else "same"


def print_windows(home: Home, data: Path) -> None:
    """Print the CPU seconds of all windows, as a multiple of one window. Both include the pairs that they read."""
    config: dict[str, Any] = {"memory_limit": memory_limit(), "temp_directory": str(data / "tmp")}
    cpu: dict[str, float] = {}
    with duckdb.connect(str(data / home.warehouse.name), config=config) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for model in (MODEL, WINDOW_MODEL):
            began = time.process_time()
            timed(connection, steps(home, model, "result"))
            cpu[model] = time.process_time() - began
    one, every = cpu.values()
    times = f"{every / one:.2f} times (aim: {WINDOW_AIM})"
    print(f"  all windows {every:.1f} CPU s, {LOOKBACK_DAYS} days {one:.1f} CPU s: {times}", flush=True)


def print_curve(curve: Mapping[str, Mapping[int, float]]) -> None:
    """Print the CPU seconds of each implementation by size."""
    sizes = sorted({size for seconds in curve.values() for size in seconds})
    print(f"\n  {'CPU s by journeys':<20}" + "".join(f"{size:>14,}" for size in sizes))
    for name, seconds in curve.items():
        print(
            f"  {name:<20}" + "".join(f"{seconds[size]:>14.2f}" if size in seconds else f"{'-':>14}" for size in sizes)
        )


def draw(curve: Mapping[str, Mapping[int, float]], path: Path) -> None:
    """Draw the CPU seconds of each implementation by size, both on logarithmic axes."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    with pyplot.rc_context({"svg.hashsalt": "tributary", "svg.fonttype": "none", "font.size": 9}):
        figure, axes = pyplot.subplots(figsize=(6.4, 4), layout="constrained")
        for name, seconds in curve.items():
            width = 2.5 if name == "Tributary" else 1.2
            axes.plot(seconds.keys(), seconds.values(), marker="o", markersize=3, linewidth=width, label=name)
        axes.set(xscale="log", yscale="log", xlabel="journeys", ylabel="CPU seconds")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside right upper", frameon=False)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


if __name__ == "__main__":
    main()
