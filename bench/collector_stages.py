"""Measure what an event costs in each stage of the collector, each stage alone on one core.

In: requests as the load generator sends them, and the settings. Out: microseconds an event, printed; the speed of an
append and sync of the same bytes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from load_generator import ID, request

from ingestion.collector.duplicates import Recent
from ingestion.collector.events import decode_request
from ingestion.collector.intake import Sender, process
from ingestion.collector.validation import rules_of
from ingestion.segments.format import sealed
from ingestion.settings.model import Settings

GROUP = 16  # requests that share a sync


def landed_line(settings: Settings, body: bytes) -> bytes:
    """Return the line that the collector writes for a request."""
    return process(body, decode_request(body), sender(), rules_of(settings.sites[0], settings), Recent()).line


def sender() -> Sender:
    """Return a browser on a page of the benchmark's site."""
    return Sender(
        org="default",
        site="shop",
        public_key="pk_bench",
        received_at=datetime.now(UTC),
        ip_hash="0" * 32,
        user_agent="Mozilla/5.0",
    )


def bodies(count: int, batch: int, shape: str = "full") -> list[bytes]:
    """Return requests as the load generator sends them, each with other ids."""
    template = request("x", "pk_bench", "x", batch, shape).partition(b"\r\n\r\n")[2]
    return [template.replace(ID, b"%012x" % number) for number in range(count)]


def measure_stages(folder: Path, settings: Settings) -> float:
    """Print microseconds an event by stage. Returns events/s of appending and syncing alone."""
    print(f"\n{'by stage, each alone':<42}{'us an event':>12}")
    for batch, requests in ((1, 20_000), (100, 600)):
        sent = bodies(requests, batch)
        lines = [landed_line(settings, body) for body in sent]
        recent, rules = Recent(), rules_of(settings.sites[0], settings)
        browser = sender()

        def whole(body: bytes, browser=browser, rules=rules, recent=recent) -> None:
            recent.remember(process(body, decode_request(body), browser, rules, recent).contents)

        size = f"{batch} a request"
        report(f"decode, check types, {size}", sent, batch, decode_request)
        report(f"the same, validate, encode, {size}", sent, batch, whole)
        report(f"seal a line, {size}", [line[: line.rindex(b',"crc":')] + b"}" for line in lines], batch, sealed)
        seconds = append_and_sync(folder / "alone", lines) / len(lines) / batch
        print(f"  {f'append + sync, {GROUP} at once, {size}':<40}{seconds * 1e6:>12.2f}")
    return 1 / seconds


def report(name: str, items: list[bytes], batch: int, work: Callable[[bytes], object]) -> None:
    """Print the time of `work` on each item, after a warm-up."""
    for item in items[: len(items) // 10]:
        work(item)
    began = time.perf_counter()
    for item in items:
        work(item)
    print(f"  {name:<40}{(time.perf_counter() - began) / len(items) / batch * 1e6:>12.2f}", flush=True)


def append_and_sync(path: Path, lines: list[bytes]) -> float:
    """Return the seconds to append all lines to a file, synced as the collector does it."""
    groups = [b"".join(lines[at : at + GROUP]) for at in range(0, len(lines), GROUP)]
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        began = time.perf_counter()
        for group in groups:
            os.write(fd, group)
            os.fdatasync(fd)
        return time.perf_counter() - began
    finally:
        os.close(fd)
        path.unlink()
