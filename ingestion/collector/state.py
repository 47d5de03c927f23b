"""The state of one process of the collector, and the upkeep of what changes by itself.

In: the home folder and the options. Out: Collector, from `start` to `stop`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ingestion.collector import metrics
from ingestion.collector.connections import PER_ADDRESS
from ingestion.collector.duplicates import Recent
from ingestion.collector.geo import Geo
from ingestion.collector.identity import Identity
from ingestion.collector.limits import Buckets, RedisBuckets
from ingestion.collector.sites import Sites, read_sites, reread_sites, version
from ingestion.home import Home
from ingestion.segments.format import Receipt, as_line, timestamp
from ingestion.segments.writer import MAX_AGE, MAX_BYTES, Landing, LandingUnavailable
from ingestion.settings.model import Settings

_log = logging.getLogger("tributary.collector")
_UPKEEP_SECONDS = 0.5
_LIMITED_SECONDS = 10.0  # after which a separate receipt counts a site's limited events


@dataclass(frozen=True)
class Options:
    """The options of `tributary collect`."""

    host: str = "127.0.0.1"
    port: int = 8700
    workers: int = 1
    trusted_proxies: tuple[str, ...] = ()  # addresses and CIDR ranges with a trusted X-Forwarded-For
    connections_per_address: int = PER_ADDRESS  # in each worker; trusted proxies have no limit
    segment_bytes: int = MAX_BYTES
    segment_seconds: float = MAX_AGE


@dataclass
class Collector:
    """Everything that the requests of one process share."""

    home: Home
    sites: Sites
    landing: Landing
    identity: Identity
    buckets: Buckets
    addresses: Buckets = field(default_factory=Buckets)
    storage_fault: str | None = None  # why the collector accepts nothing now
    is_supervised: bool = False
    redis: RedisBuckets | None = None
    geo: Geo | None = None
    recent: Recent = field(default_factory=Recent)
    origin_logged_at: dict[str, float] = field(default_factory=dict)  # site -> seconds of the monotonic clock
    limited: dict[str, int] = field(default_factory=dict)  # site -> events that no receipt counts yet

    @property
    def settings(self) -> Settings:
        return self.sites.settings


def start(home: Home, options: Options) -> Collector:
    """Return the state of this process while its event loop runs."""
    metrics.forget_dead_workers()
    sites = read_sites(home)
    buckets = Buckets(1 / options.workers)
    return Collector(
        storage_fault=storage_fault(home, sites.settings),
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
        redis=redis_buckets(buckets),
        geo=geo_database(home, sites.settings),
    )


def redis_buckets(fallback: Buckets) -> RedisBuckets | None:
    """Return the buckets in the Redis that the environment names, or None."""
    url = os.environ.get("TRIBUTARY_REDIS_URL")
    return RedisBuckets(url, fallback) if url else None


def geo_database(home: Home, settings: Settings) -> Geo | None:
    """Return the database that tributary.yaml names, relative to the home folder, or None."""
    database = settings.collector.geo_database
    return Geo(home.root / database) if database else None


async def run_upkeep(collector: Collector) -> None:
    """Look after settings, limited events, addresses and flushes until cancelled.

    A worker without its supervisor ends itself: else it would keep the port from the next collector.
    """
    parent = os.getppid()
    seen, flushed = version(collector.home), flush_requested_at(collector.home)
    limited_at = time.monotonic()
    while True:
        await asyncio.sleep(_UPKEEP_SECONDS)
        if collector.is_supervised and os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)
        try:
            if version(collector.home) != seen:
                collector.sites, seen = await asyncio.to_thread(reread_sites, collector.home, collector.sites, seen)
            collector.storage_fault = storage_fault(collector.home, collector.settings)
            if (requested := flush_requested_at(collector.home)) != flushed:
                flushed = requested
                await collector.landing.flush()
            if time.monotonic() - limited_at > _LIMITED_SECONDS:
                limited_at = time.monotonic()
                _store_limited(collector)
            if collector.geo:
                await collector.geo.store(collector.landing)
            metrics.AGE.set(collector.landing.segment_age)
            metrics.BUFFERED.set(collector.landing.buffered_lines)
        except Exception:
            _log.exception("upkeep failed")


async def stop(collector: Collector) -> None:
    """Write what remains and close the segment."""
    _store_limited(collector)
    if collector.geo:
        await collector.geo.store(collector.landing)
    await collector.landing.close()
    if collector.redis:
        await collector.redis.close()


def storage_fault(home: Home, settings: Settings) -> str | None:
    """Return why the disk has too little free space for more events, or None."""
    try:
        status = os.statvfs(home.landing)
    except OSError:
        return None  # the writer reports a missing folder
    free, least = status.f_bavail * status.f_frsize // 1_000_000, settings.collector.min_free_mb
    return f"the disk of landing/ has {free:,} MB free, collector.min_free_mb is {least:,}" if free < least else None


def check_writable(home: Home) -> None:
    """Raise OSError if the landing folder takes no durable write now."""
    probe = home.landing / f".ready-{os.getpid()}"
    fd = os.open(probe, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        probe.unlink()  # before the slow part: a killed collector leaves no file behind
        os.write(fd, b"ready\n")
        os.fsync(fd)
    finally:
        os.close(fd)


def request_flush(home: Home) -> None:
    """Ask all workers to close their segments."""
    (home.landing / ".flush").write_text(str(time.time_ns()))


def flush_requested_at(home: Home) -> int:
    """Return when the last flush was requested, in nanoseconds, or 0."""
    try:
        return (home.landing / ".flush").stat().st_mtime_ns
    except OSError:
        return 0


def _store_limited(collector: Collector) -> None:
    """Store receipts of the limited events of sites that sent nothing since."""
    for site, events in list(collector.limited.items()):
        known = collector.sites.by_id.get(site)
        receipt = Receipt(
            kind="events",
            at=timestamp(datetime.now(UTC)),
            org=known.settings.org if known else "default",
            site=site,
            received=events,
            limited=events,
        )
        try:
            collector.landing.append_soon(as_line(receipt))
        except LandingUnavailable:
            return
        del collector.limited[site]
