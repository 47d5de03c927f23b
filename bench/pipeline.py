"""The whole pipeline on 1M and 10M interactions: seconds and peak memory a stage, and the attribution stage beside one
hand-written SQL statement that does the same in bare DuckDB, in the same run on the same data.

    python bench/pipeline.py [--interactions 1000000 --interactions 10000000]
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from ingestion.home import Home
from ingestion.simulator.benchmark_data import write_benchmark_touches
from ingestion.warehouse import memory_limit

TRIBUTARY = Path(sys.executable).with_name("tributary")
# A stage ends when the last model of it is built; dbt builds them in this order on one path.
STAGES = {
    "touchpoints": ("int_touchpoints",),
    "attribution": ("int_conversion_touches",),
    "rollups": ("daily_rollups", "channel_summary", "conversion_paths"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interactions", type=int, action="append", help="how many; may be given more than once")
    sizes = parser.parse_args().interactions or [1_000_000, 10_000_000]
    print(machine())
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="tributary-bench-") as folder:
            measure(size, Path(folder))


def machine() -> str:
    """The machine, in one line."""
    about = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":")[1].strip() for line in about if line.startswith("model name")), "cpu")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} x {cpu}, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, DuckDB {duckdb.__version__} limited to {memory_limit()}"
    )


def measure(size: int, folder: Path) -> None:
    """One size: every stage, the total, then the comparison."""
    print(f"\n{size:,} interactions, {size // 10:,} conversions")
    touches, conversions = folder / "touches.parquet", folder / "conversions.parquet"
    write_benchmark_touches(touches, conversions, interactions=size, seed=1)
    environment = {**os.environ, "TRIBUTARY_HOME": str(folder / "home")}

    print(f"  {'stage':<24}{'seconds':>9}{'peak GiB':>10}")
    started = time.monotonic()
    peaks = []
    for kind, path in (("interactions", touches), ("conversions", conversions)):
        for _, seconds, peak in stages([TRIBUTARY, "import", kind, path], environment, f"import {kind}"):
            peaks.append(report(f"import {kind}", seconds, peak))
    for stage, seconds, peak in stages([TRIBUTARY, "run"], environment, "publish and checks"):
        peaks.append(report(stage, seconds, peak))
    report("in all", time.monotonic() - started, max(peaks))
    compare(Home(folder / "home"))


def report(stage: str, seconds: float, peak: float) -> float:
    print(f"  {stage:<24}{seconds:>9.1f}{peak:>10.2f}", flush=True)
    return peak


def stages(command: list, environment: dict[str, str], last: str) -> Iterator[tuple[str, float, float]]:
    """Run a command; (stage, seconds, peak GiB of its process tree) as its progress lines pass the stages' ends."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    sampler = Sampler(process.pid)
    left = {stage: set(models) for stage, models in STAGES.items()}
    began, output = time.monotonic(), []
    for line in process.stdout:
        output.append(line)
        built = line.split("built ")[1].split()[0] if "built " in line else None
        for stage, models in list(left.items()):
            models.discard(built)
            if built and not models:
                del left[stage]
                yield stage, time.monotonic() - began, sampler.take()
                began = time.monotonic()
    if process.wait() != 0:
        sys.exit("".join(output))
    yield last, time.monotonic() - began, sampler.take()


class Sampler:
    """Watches the memory of a process and its children, as the kernel counts it (resident, not shared twice)."""

    def __init__(self, pid: int) -> None:
        self.pid, self.peak = pid, 0.0
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self) -> None:
        while os.path.exists(f"/proc/{self.pid}"):
            self.peak = max(self.peak, sum(map(resident, tree(self.pid))))
            time.sleep(0.05)

    def take(self) -> float:
        """The peak since the last call, in GiB."""
        peak, self.peak = self.peak, 0.0
        return peak


def tree(pid: int) -> list[int]:
    """A process and all its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(descendant for child in children for descendant in tree(int(child)))]


def resident(pid: int) -> float:
    """Private and shared pages of a process in GiB, shared ones divided by those who share them."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 2**20
    except (OSError, StopIteration):
        return 0.0


def compare(home: Home) -> None:
    """dbt's model against one statement written by hand, each writing the same table into a copy of the warehouse."""
    copy = home.root / "compare.duckdb"
    shutil.copyfile(home.warehouse, copy)
    model = next((home.root / "dbt").glob("models-*/compiled/**/int_conversion_touches.sql")).read_text()
    with duckdb.connect(
        str(copy), config={"memory_limit": memory_limit(), "temp_directory": str(home.temporary)}
    ) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(f"use {copy.stem}")
        model = model.replace(f'"{home.warehouse.stem}".', f'"{copy.stem}".')
        timed(con, "model", model)  # once unmeasured, so that both find the tables in memory
        seconds = {"by hand": [], "model": []}
        for _ in range(3):
            seconds["model"].append(timed(con, "model", model))
            seconds["by hand"].append(timed(con, "by_hand", BY_HAND))
        check_same(con)
    ours, theirs = min(seconds["model"]), min(seconds["by hand"])
    print(f"  attribution {ours:.1f} s, by hand {theirs:.1f} s, ratio {ours / theirs:.2f}")


def timed(connection: duckdb.DuckDBPyConnection, table: str, sql: str) -> float:
    began = time.monotonic()
    connection.execute(f"create or replace table {table} as {sql}")
    connection.execute("checkpoint")
    return time.monotonic() - began


def check_same(connection: duckdb.DuckDBPyConnection) -> None:
    """A comparison of two different results would compare nothing."""
    different = connection.execute("""
        select count(*) from model full join by_hand using (conversion_id, touchpoint_id)
        where model.position is distinct from by_hand.position
            or abs(model.linear_credit / 1e12 - by_hand.linear) > 1e-9
            or abs(model.time_decay_credit / 1e12 - by_hand.time_decay) > 1e-9
            or abs(model.position_based_credit / 1e12 - by_hand.position_based) > 1e-9
            or abs(model.daily_linear_credit / 1e12 - by_hand.daily_linear) > 1e-9
            or model.last_non_direct_credit / 1e12 <> by_hand.last_non_direct
            or abs(model.linear_value_micros - by_hand.linear_value) > 1
    """).fetchone()[0]
    if different:
        sys.exit(f"the model and the statement by hand differ in {different:,} rows")


# What an analyst would write for one org in UTC at 30 days: the same seven models, weights and money to the micro.
BY_HAND = """
    with pairs as (
        select c.conversion_id, c.date as conversion_date, c.value_micros, t.*
        from marts.conversions c join marts.touchpoints t using (org_id, person_key)
        where t.occurred_at between c.occurred_at - interval 720 hours and c.occurred_at
    ),
    numbered as (
        select *, occurred_at::date as day, row_number() over journey as k, count(*) over touches as n,
            max(case when not is_direct then occurred_at end) over touches as last_non_direct_at,
            count(*) over (partition by conversion_id, occurred_at::date) as m,
            power(2, -(epoch_us(max(occurred_at) over touches) - epoch_us(occurred_at)) / 86400e6 / 7) as decay
        from pairs
        window touches as (partition by conversion_id),
            journey as (partition by conversion_id order by occurred_at, touchpoint_id)
    ),
    weighted as (
        select *,
            case when k = 1 then 1.0::double else 0 end as first_touch,
            case when k = n then 1.0::double else 0 end as last_touch,
            case when last_non_direct_at is null then (k = n)::int::double
                when not is_direct and occurred_at = last_non_direct_at
                    and row_number() over (
                        partition by conversion_id, is_direct, occurred_at order by touchpoint_id desc
                    ) = 1 then 1.0::double else 0 end as last_non_direct,
            1.0::double / n as linear,
            decay / sum(decay) over touches as time_decay,
            case when n = 1 then 1.0::double when n = 2 then 0.5 when k in (1, n) then 0.4
                else 0.2 / (n - 2) end as position_based,
            (1.0::double / m) / sum(1.0::double / m) over touches as daily_linear
        from numbered
        window touches as (partition by conversion_id)
    )
    select org_id, conversion_id, touchpoint_id, k as position, n as touchpoint_count, conversion_date, day,
        channel, platform, campaign_id, adset_id, ad_id, {weights_and_values}
    from weighted
    window journey as (partition by conversion_id order by occurred_at, touchpoint_id)
""".replace(
    "{weights_and_values}",
    ", ".join(
        f"{model}, (round(value_micros * sum({model}) over journey)"
        f" - round(value_micros * (sum({model}) over journey - {model})))::bigint as {model}_value"
        for model in (
            "first_touch",
            "last_touch",
            "last_non_direct",
            "linear",
            "time_decay",
            "position_based",
            "daily_linear",
        )
    ),
)


if __name__ == "__main__":
    main()
