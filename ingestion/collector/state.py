"""What one process of the collector holds. In: the home folder and the options. Out: Collector, begun and ended."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ingestion.collector import metrics
from ingestion.collector.duplicates import Recent
from ingestion.collector.geo import Geo
from ingestion.collector.identity import Identity
from ingestion.collector.limits import Buckets, RedisBuckets
from ingestion.collector.process import timestamp
from ingestion.collector.sites import Sites, changed, read_sites, version
from ingestion.home import Home
from ingestion.segments.format import Receipt, as_line
from ingestion.segments.writer import MAX_AGE, MAX_BYTES, Landing, LandingUnavailable
from ingestion.settings.model import Settings

_log = logging.getLogger("tributary.collector")
_TICK = 0.5  # seconds between looks at what changes by itself
_TALLY = 10.0  # seconds after which limited events are landed, if no other receipt of their site took them along


@dataclass(frozen=True)
class Options:
    """How `tributary collect` was started."""

    host: str = "127.0.0.1"
    port: int = 8700
    workers: int = 1
    trusted_proxies: tuple[str, ...] = ()  # addresses and CIDR ranges whose X-Forwarded-For counts
    segment_bytes: int = MAX_BYTES
    segment_seconds: float = MAX_AGE


@dataclass
class Collector:
    home: Home
    sites: Sites
    landing: Landing
    identity: Identity
    buckets: Buckets
    is_supervised: bool = False
    redis: RedisBuckets | None = None
    geo: Geo | None = None
    recent: Recent = field(default_factory=Recent)
    limited: dict[str, int] = field(default_factory=dict)  # site -> events in no receipt yet

    @property
    def settings(self) -> Settings:
        return self.sites.settings


def begin(home: Home, options: Options) -> Collector:
    """The state of this process; the event loop runs."""
    metrics.forget_dead_workers()
    sites = read_sites(home)
    buckets = Buckets(1 / options.workers)
    return Collector(
        home=home,
        sites=sites,
        landing=Landing(
            home.landing,
            max_bytes=options.segment_bytes,
            max_age=options.segment_seconds,
            observe_sync=metrics.observe_sync,
        ),
        identity=Identity(home.salts, sites.settings.collector.salt_hours),
        buckets=buckets,
        is_supervised=options.workers > 1,
        redis=redis_of(buckets),
        geo=geo_of(home, sites.settings),
    )


def redis_of(buckets: Buckets) -> RedisBuckets | None:
    url = os.environ.get("TRIBUTARY_REDIS_URL")
    return RedisBuckets(url, buckets) if url else None


def geo_of(home: Home, settings: Settings) -> Geo | None:
    """The database's path is relative to the home folder."""
    database = settings.collector.geo_database
    return Geo(home.root / database) if database else None


async def run(collector: Collector) -> None:
    """Look after what changes by itself, until cancelled: the settings, tallies, addresses, requests to flush.

    A worker whose supervisor died ends itself: it would keep the port from the next one.
    """
    parent = os.getppid()
    seen, flushed = version(collector.home), flush_asked(collector.home)
    told = time.monotonic()
    while True:
        await asyncio.sleep(_TICK)
        if collector.is_supervised and os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)
        try:
            if version(collector.home) != seen:
                collector.sites, seen = await asyncio.to_thread(changed, collector.home, collector.sites, seen)
            if (asked := flush_asked(collector.home)) != flushed:
                flushed = asked
                await collector.landing.flush()
            if time.monotonic() - told > _TALLY:
                told = time.monotonic()
                land_limited(collector)
            if collector.geo:
                await collector.geo.land(collector.landing)
            metrics.AGE.set(collector.landing.segment_age)
            metrics.BUFFERED.set(collector.landing.buffered_lines)
        except Exception:
            _log.exception("upkeep failed")


async def end(collector: Collector) -> None:
    """Write what is left and close the segment."""
    land_limited(collector)
    if collector.geo:
        await collector.geo.land(collector.landing)
    await collector.landing.close()
    if collector.redis:
        await collector.redis.close()


def land_limited(collector: Collector) -> None:
    """Receipts of the limited events whose sites sent nothing since."""
    for site, events in list(collector.limited.items()):
        known = collector.sites.by_id.get(site)
        org = known.settings.org if known else "default"
        at = timestamp(datetime.now(UTC))
        try:
            collector.landing.append_soon(as_line(Receipt("events", at, org, site, received=events, limited=events)))
        except LandingUnavailable:
            return
        del collector.limited[site]


def try_to_write(home: Home) -> None:
    """Raises OSError where events could not be made durable now."""
    probe = home.landing / f".ready-{os.getpid()}"
    fd = os.open(probe, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.write(fd, b"ready\n")
        os.fsync(fd)
    finally:
        os.close(fd)
        probe.unlink(missing_ok=True)


def ask_to_flush(home: Home) -> None:
    """Tell all workers to close their segments."""
    (home.landing / ".flush").write_text(str(time.time_ns()))


def flush_asked(home: Home) -> int:
    """When it was last asked; nanoseconds."""
    try:
        return (home.landing / ".flush").stat().st_mtime_ns
    except OSError:
        return 0
