"""What an event costs in each stage of the collector, one stage after the other, alone on one core.

In: lines that the collector landed, and the settings. Out: microseconds an event, printed; the speed of an append and
sync of the same bytes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from load_generator import ID, request

from ingestion.collector.duplicates import Recent
from ingestion.collector.messages import opened
from ingestion.collector.process import Sender, process
from ingestion.collector.validate import rules_of
from ingestion.segments.format import sealed
from ingestion.settings.model import Settings

GROUP = 16  # requests that share a sync


def landed_line(settings: Settings, body: bytes) -> bytes:
    """What the collector lands for a request."""
    sender = Sender("default", "shop", "pk_bench", datetime.now(UTC), "0" * 32, None, "Mozilla/5.0")
    return process(body, opened(body), sender, rules_of(settings.sites[0], settings), Recent()).line


def bodies(count: int, batch: int, shape: str = "full") -> list[bytes]:
    """Requests as the load generator sends them, ids of their own in each."""
    template = request("x", "pk_bench", "x", batch, shape).partition(b"\r\n\r\n")[2]
    return [template.replace(ID, b"%012x" % number) for number in range(count)]


def measure_stages(folder: Path, settings: Settings) -> float:
    """Print the split. Returns events/s of appending and syncing alone."""
    print(f"\n{'by stage, each alone':<42}{'us an event':>12}")
    for batch, requests in ((1, 20_000), (100, 600)):
        sent = bodies(requests, batch)
        lines = [landed_line(settings, body) for body in sent]
        recent, rules = Recent(), rules_of(settings.sites[0], settings)
        sender = Sender("default", "shop", "pk_bench", datetime.now(UTC), "0" * 32, None, "Mozilla/5.0")

        def whole(body: bytes, sender=sender, rules=rules, recent=recent) -> None:
            recent.remember(process(body, opened(body), sender, rules, recent).contents)

        told = f"{batch} a request"
        report(f"decode, check types, {told}", sent, batch, opened)
        report(f"the same, validate, encode, {told}", sent, batch, whole)
        report(f"seal a line, {told}", [line[: line.rindex(b',"crc":')] + b"}" for line in lines], batch, sealed)
        seconds = append_and_sync(folder / "alone", lines) / len(lines) / batch
        print(f"  {f'append + sync, {GROUP} at once, {told}':<40}{seconds * 1e6:>12.2f}")
    return 1 / seconds


def report(name: str, items: list[bytes], batch: int, work: Callable[[bytes], object]) -> None:
    for item in items[: len(items) // 10]:
        work(item)
    began = time.perf_counter()
    for item in items:
        work(item)
    print(f"  {name:<40}{(time.perf_counter() - began) / len(items) / batch * 1e6:>12.2f}", flush=True)


def append_and_sync(path: Path, lines: list[bytes]) -> float:
    """Seconds to append all lines to a file, synced as the collector does it, with nothing else to do."""
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
