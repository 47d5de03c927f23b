"""Decide whether the collector takes a request: its sender, free space on the disk, the limits of site and address.

In: the headers and size of a request, and its site. Out: nothing; or a Problem (403, 429,
503), with the events of a 429 counted as limited.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from time import monotonic

from ingestion.collector import metrics
from ingestion.collector.limits import Limit, address_limit, bytes_limit, events_limit
from ingestion.collector.problems import Problem, storage_unavailable
from ingestion.collector.request import text_of
from ingestion.collector.sites import KnownSite, check_sender, shown_origin
from ingestion.collector.state import Collector

_log = logging.getLogger("tributary.collector")
_HOUR = 3600.0


def is_from_page(state: Collector, site: KnownSite, headers: Mapping[bytes, bytes]) -> bool:
    """Return true for a page of the site and false for a server that has its key, or raise a Problem (403)."""
    origin, host = text_of(headers, b"origin"), text_of(headers, b"host")
    try:
        return check_sender(site, origin, text_of(headers, b"authorization"), host)
    except Problem as problem:
        if origin is not None:
            _report_origin(state, site.settings.id, origin, problem)
        raise


def check_storage(state: Collector) -> None:
    """Raise a Problem (503) while the disk has too little free space."""
    if state.storage_fault:
        raise storage_unavailable(state.storage_fault, retry_after=30)


async def check_limits(state: Collector, site: KnownSite, events: int, size: int, address_hash: str | None) -> None:
    """Take the events and bytes out of the buckets of the site and the address, or raise a Problem (429, 503).

    address_hash: of the visitor's network; None where a server sends the events.
    """
    check_storage(state)
    settings, now = site.settings, monotonic()
    if address_hash:
        limit = address_limit(settings, address_hash)
        wait = state.addresses.take(limit, events, now)
        if wait:
            raise _limited(state, site, events, limit, wait)
    for limit, amount in ((events_limit(settings), events), (bytes_limit(settings), size)):
        if state.redis:
            wait = await state.redis.take(limit, amount, now)
        else:
            wait = state.buckets.take(limit, amount, now)
        if wait:
            raise _limited(state, site, events, limit, wait)


def _limited(state: Collector, site: KnownSite, events: int, limit: Limit, wait: float) -> Problem:
    """Return the problem of a request that exceeds a limit, and count its events."""
    name = site.settings.id
    state.limited[name] = state.limited.get(name, 0) + events
    metrics.count(name, "events", limited=events, rejected=Counter())
    return Problem(
        429, "Too many events", f"{limit.detail}. Send these again after Retry-After seconds", retry_after=wait
    )


def _report_origin(state: Collector, site: str, origin: str, problem: Problem) -> None:
    """Count a page that may not send, and log it once a site and hour: its owner may have forgotten a domain."""
    metrics.ORIGINS.labels(site).inc()
    now = monotonic()
    if now - state.origin_logged_at.get(site, -_HOUR) >= _HOUR:
        state.origin_logged_at[site] = now
        _log.warning("site %s rejects a page of %s: %s", site, shown_origin(origin), problem.detail)
