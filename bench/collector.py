"""Measure the collector and the load of its segments: speed, latency and memory, the load generator on the same cores.

Every figure has its target beside it. The same run measures a collector in plain Starlette, an HTTP server that answers
without reading the body, and an append and sync of the same bytes alone.

    python bench/collector.py [--quick] [--load-only]
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec
from collector_load import measure_load
from collector_stages import measure_stages
from machine import machine

from ingestion.home import Home
from ingestion.segments.format import is_whole
from ingestion.settings.load import load_settings

HERE = Path(__file__).parent
TRIBUTARY = Path(sys.executable).with_name("tributary")
KEY, ORIGIN = "pk_bench", "https://shop.example.com"
SETTINGS = f"""\
orgs:
  - {{id: default, currency: EUR}}
sites:
  - {{id: shop, org: default, public_key: {KEY}, domains: [example.com], events_per_minute: 1000000000}}
"""
BATCHES, SINGLE = {"batch": 100, "connections": 64}, {"batch": 1, "connections": 64}


class Landed(msgspec.Struct):
    """The counted part of a line."""

    rows: list[msgspec.Raw] = []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short and small: to see that it works")
    parser.add_argument("--load-only", action="store_true", help="only the load into DuckDB")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tributary-bench-") as name:
        folder = Path(name)
        print(machine())
        print(f"home on {filesystem(folder)}")
        if not options.load_only:
            speed = measure_http(home_in(folder / "collector"), seconds=2 if options.quick else 10)
            alone = measure_stages(folder, load_settings(home_in(folder / "stages")))
            print(f"  collector / append + sync of the same bytes: {speed / alone:.2f}")
        measure_load(home_in(folder / "load"), size=100_000 if options.quick else 5_000_000)


def home_in(folder: Path) -> Home:
    """Return a home folder with the settings of the benchmark."""
    os.environ["TRIBUTARY_HOME"] = str(folder)
    home = Home.from_environment()
    home.settings.write_text(SETTINGS)
    return home


def filesystem(path: Path) -> str:
    """Return the type and device of the file system of `path`."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    device, _, kind, *_ = max((m for m in mounts if path.is_relative_to(m[1])), key=lambda mount: len(mount[1]))
    return f"{kind} ({device})"


def measure_http(home: Home, seconds: float) -> float:
    """Measure every server under load. Returns events/s of the collector in batches."""
    print(f"\n{'over HTTP':<42}{'events/s':>10}{'p50 ms':>8}{'p99 ms':>8}   target")
    with server([TRIBUTARY, "collect", "--port"], home) as running:
        name = "collector, 100 a request, core members"
        core = load(name, running, seconds, "350,000, p99 35", **BATCHES, shape="core")
        batches = load("collector, 100 a request", running, seconds, "", **BATCHES)
        single = load("collector, 1 a request", running, seconds, "15,000, p99 10", **SINGLE)
        steady = load("collector, 1 a request, at 15,000/s", running, seconds, "p99 10", **SINGLE, rate=15_000)
    acknowledged = sum(report["acknowledged"] for report in (core, batches, single, steady))
    count = landed(home.landing)
    if count != acknowledged:
        sys.exit(f"{acknowledged:,} events were acknowledged, {count:,} landed")
    print(f"  {count:,} acknowledged = landed; an event has {core['bytes_per_event']:.0f} bytes with the core members,")
    print(f"  {batches['bytes_per_event']:.0f} bytes as the browser script sends it (all the other rows)")
    for which in ("plain", "http"):
        folder = home.temporary / which
        folder.mkdir()
        with server([sys.executable, HERE / "alternatives.py", which], home, folder) as running:
            report = load(f"{which}, 100 a request", running, seconds / 2, "", **BATCHES)
            print(f"  collector / {which}: {batches['events_per_second'] / report['events_per_second']:.2f}")
            report = load(f"{which}, 1 a request", running, seconds / 2, "", **SINGLE)
            print(f"  collector / {which}: {single['events_per_second'] / report['events_per_second']:.2f}")
    return batches["events_per_second"]


class Server(NamedTuple):
    """A running server."""

    address: str
    process: subprocess.Popen


def load(name: str, running: Server, seconds: float, target: str, **options: float | str) -> dict[str, float]:
    """Run the load generator against a server, and print its figures. target: printed beside them."""
    before = cpu_seconds(running.process.pid)
    arguments = [f"--{option}={value}" for option, value in {**options, "seconds": seconds}.items()]
    command = [sys.executable, HERE / "load_generator.py", running.address, KEY, ORIGIN, *arguments]
    report = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    if set(report["statuses"]) != {"202"} or report["broken_connections"]:
        sys.exit(f"{name}: not every request was answered with 202: {report}")
    cpu = (cpu_seconds(running.process.pid) - before) / report["sent"] * 1e6
    figures = f"{report['events_per_second']:>10,.0f}{report['p50_ms']:>8.1f}{report['p99_ms']:>8.1f}"
    print(f"  {name:<40}{figures}   {target:<18}{cpu:.2f} us of CPU an event", flush=True)
    return report


@contextmanager
def server(command: list, home: Home, *arguments: Path) -> Iterator[Server]:
    """Start a server, and yield it once it listens; terminate it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "TRIBUTARY_HOME": str(home.root), "PYTHONPATH": str(HERE.parent)}
    process = subprocess.Popen(
        [*command, str(port), *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/healthz")  # any answer will do
                break
            except httpx.TransportError:
                if process.poll() is not None:
                    sys.exit(f"{command} ended with {process.returncode}")
                time.sleep(0.05)
        yield Server(f"127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait()


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process, in user and system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def landed(folder: Path) -> int:
    """Return the number of events in the segments."""
    decode = msgspec.json.Decoder(Landed).decode
    count = 0
    for segment in sorted(folder.glob("*.ndjson")):
        with segment.open("rb") as lines:
            for line in lines:
                if not is_whole(line):
                    sys.exit(f"{segment.name} has a damaged line")
                count += len(decode(line).rows)
    return count


if __name__ == "__main__":
    main()
