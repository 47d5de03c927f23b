"""Count events and requests for Prometheus. In: the counts of each answered request. Out: the text of /metrics.

Several workers report one total: prometheus_client keeps their counts in shared files, in the folder that
PROMETHEUS_MULTIPROC_DIR names.
"""

from __future__ import annotations

import os
from collections import Counter as Counts
from functools import lru_cache
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
)

disable_created_metrics()  # type: ignore[no-untyped-call]  # the package annotates only a part of its functions
_EVENT = ["site", "kind"]
RECEIVED = Counter("tributary_events_received", "Events received: accepted, duplicate, rejected or limited", _EVENT)
ACCEPTED = Counter("tributary_events_accepted", "Events that are durable", _EVENT)
DUPLICATE = Counter("tributary_events_duplicate", "Events that repeat a recent one", _EVENT)
REJECTED = Counter("tributary_events_rejected", "Events rejected and stored as failed", [*_EVENT, "reason"])
LIMITED = Counter("tributary_events_limited", "Events rejected by the rate limit", _EVENT)
REFUSED = Counter("tributary_requests_refused", "Requests rejected as a whole; their events count nowhere", ["status"])
ORIGINS = Counter("tributary_origins_refused", "Requests of pages of an origin that the site does not have", ["site"])
BYTES = Counter("tributary_landed_bytes", "Bytes made durable")
SYNC = Histogram(
    "tributary_sync_seconds",
    "Seconds of one write and sync, for all requests that arrived together",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
AGE = Gauge("tributary_segment_age_seconds", "Age of the oldest open segment", multiprocess_mode="livemax")
BUFFERED = Gauge("tributary_buffered_lines", "Requests that wait to be written", multiprocess_mode="livesum")


def count(
    site: str, kind: str, *, accepted: int = 0, duplicate: int = 0, limited: int = 0, rejected: Counts[str]
) -> None:
    """Count events. rejected: reason -> events. Received is the sum, so that the equation holds in every scrape."""
    received_, accepted_, duplicate_, limited_ = _counters(site, kind)
    received_.inc(accepted + duplicate + limited + rejected.total())
    if accepted:
        accepted_.inc(accepted)
    if duplicate:
        duplicate_.inc(duplicate)
    if limited:
        limited_.inc(limited)
    for reason, events in rejected.items():
        REJECTED.labels(site, kind, reason).inc(events)


def observe_sync(seconds: float, size: int) -> None:
    """Record one write and sync of so many bytes."""
    SYNC.observe(seconds)
    BYTES.inc(size)


def rendered() -> bytes:
    """Return all metrics in Prometheus' text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # likewise
    return generate_latest(registry)


def forget_dead_workers() -> None:
    """Drop the gauges of workers that ended. Their counts stay."""
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        for file in Path(folder).glob("gauge_live*_*.db"):
            worker = file.stem.rpartition("_")[2]
            if not Path(f"/proc/{worker}").exists() and Path("/proc/self").exists():
                multiprocess.mark_process_dead(worker)  # type: ignore[no-untyped-call]  # likewise


def totals() -> dict[str, int]:
    """Return this process's events by outcome."""
    counters = {"received": RECEIVED, "accepted": ACCEPTED, "duplicate": DUPLICATE, "rejected": REJECTED}
    return {
        name: int(sum(sample.value for metric in counter.collect() for sample in metric.samples))
        for name, counter in (counters | {"limited": LIMITED}).items()
    }


@lru_cache(maxsize=1024)
def _counters(site: str, kind: str) -> tuple[Counter, Counter, Counter, Counter]:
    received, accepted, duplicate, limited = (c.labels(site, kind) for c in (RECEIVED, ACCEPTED, DUPLICATE, LIMITED))
    return received, accepted, duplicate, limited
