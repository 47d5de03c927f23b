"""Measure the whole pipeline: seconds and peak memory of each stage, and the ratio of a run to its bare SQL.

In: simulated interactions and conversions, 1M and 10M by default. Out: a table for each size.

    python bench/pipeline.py [--interactions 1000000 --interactions 10000000]

The bare SQL is the compiled SQL of all models, executed by DuckDB in one process and in the order of the graph. dbt's
own time is the rest of the dbt stage: its start, its statements beside the models' SQL, and the tests.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
from machine import machine
from statement import compare

from ingestion.channel_effects import create_channel_effects
from ingestion.home import Home
from ingestion.simulator.benchmark_data import write_benchmark_touches
from ingestion.warehouse import memory_limit

TRIBUTARY = Path(sys.executable).with_name("tributary")
# A stage of a run and the line of progress that ends it. The last stage ends with the command.
STAGES = {
    "start": "dbt: seeds, models and tests",
    "dbt": "counting rows, tracing columns",
    "lineage and history": "checking the promises, publishing",
    "publishing": "done in",
    "summary": None,
}


def main() -> None:
    """Measure each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interactions", type=int, action="append", help="number of interactions; repeatable")
    sizes = parser.parse_args().interactions or [1_000_000, 10_000_000]
    print(machine())
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="tributary-bench-") as folder:
            measure(size, Path(folder))


def measure(size: int, folder: Path) -> None:
    """Import and build one size, and print its stages and ratios."""
    print(f"\n{size:,} interactions, {size // 10:,} conversions")
    touches, conversions = folder / "touches.parquet", folder / "conversions.parquet"
    write_benchmark_touches(touches, conversions, interactions=size, seed=1)
    home = Home(folder / "home")
    environment = {**os.environ, "TRIBUTARY_HOME": str(home.root)}

    print(f"  {'stage':<24}{'seconds':>9}{'peak GiB':>10}")
    imported = 0.0
    for kind, path in (("interactions", touches), ("conversions", conversions)):
        for _, seconds, peak in stages([TRIBUTARY, "import", kind, path], environment, {kind: None}):
            report(f"import {kind}", seconds, peak)
            imported += seconds
    found = {stage: (seconds, peak) for stage, seconds, peak in stages([TRIBUTARY, "run"], environment, STAGES)}
    sql = bare_sql(home)
    for stage, (seconds, peak) in found.items():
        report(stage, seconds, peak)
        if stage == "dbt":
            report("  bare SQL", sql)
            report("  dbt's own time", seconds - sql)
    whole = sum(seconds for seconds, _ in found.values())
    report("run", whole, max(peak for _, peak in found.values()))
    report("import and run", imported + whole)
    print(f"  run / bare SQL: {whole / sql:.2f}")
    compare(home)


def report(stage: str, seconds: float, peak: float | None = None) -> None:
    """Print a line of the table."""
    print(f"  {stage:<24}{seconds:>9.1f}" + (f"{peak:>10.2f}" if peak is not None else ""), flush=True)


def stages(
    command: list[Any], environment: dict[str, str], ends: dict[str, str | None]
) -> Iterator[tuple[str, float, float]]:
    """Run a command. Yield each stage, its seconds and the peak GiB of the process tree when its last line appears."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout
    sampler = Sampler(process.pid)
    left, began, output = list(ends.items()), time.monotonic(), []
    for line in process.stdout:
        output.append(line)
        stage, end = left[0]
        if end and end in line:
            yield stage, time.monotonic() - began, sampler.take()
            began = time.monotonic()
            del left[0]
    if process.wait() != 0:
        sys.exit("".join(output))
    yield left[0][0], time.monotonic() - began, sampler.take()


class Sampler:
    """Watch the memory of a process and its children as the kernel counts it: resident, shared pages once."""

    def __init__(self, pid: int) -> None:
        self.pid, self.peak = pid, 0.0
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self) -> None:
        """Sample until the process ends."""
        while os.path.exists(f"/proc/{self.pid}"):
            self.peak = max(self.peak, sum(map(resident, tree(self.pid))))
            time.sleep(0.05)

    def take(self) -> float:
        """Return the peak since the last call in GiB."""
        peak, self.peak = self.peak, 0.0
        return peak


def tree(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(descendant for child in children for descendant in tree(int(child)))]


def resident(pid: int) -> float:
    """Return the private and shared pages of a process in GiB, shared ones divided by their users."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 2**20
    except (OSError, StopIteration):
        return 0.0


def bare_sql(home: Home) -> float:
    """Return the seconds of the models' compiled SQL in a copy of the warehouse, in one process."""
    copy = home.root / "bare" / home.warehouse.name  # the same name, which the compiled SQL has
    copy.parent.mkdir()
    shutil.copyfile(home.warehouse, copy)
    nodes = json.loads((home.root / "dbt" / "manifest.json").read_bytes())["nodes"]
    models = {key: node for key, node in nodes.items() if node["resource_type"] == "model"}
    config = {
        "memory_limit": memory_limit(),
        "temp_directory": str(home.temporary),
        "storage_compatibility_version": "v1.5.0",
    }
    with duckdb.connect(str(copy), config=config) as connection:
        connection.execute("set TimeZone = 'UTC'")
        create_channel_effects(connection)
        began = time.monotonic()
        for model in ordered(models):
            sql = (home.root / "dbt" / "compiled" / model["package_name"] / model["original_file_path"]).read_text()
            kind = "view" if model["config"]["materialized"] == "view" else "table"
            connection.execute(f"create or replace {kind} {model['schema']}.{model['name']} as {sql}")
        connection.execute("checkpoint")
        return time.monotonic() - began


def ordered(models: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the models, parents first."""
    found: dict[str, dict[str, Any]] = {}

    def add(key: str) -> None:
        if key in models and key not in found:
            for parent in models[key]["depends_on"]["nodes"]:
                add(parent)
            found[key] = models[key]

    for key in models:
        add(key)
    return list(found.values())


if __name__ == "__main__":
    main()
