"""Decide whether the collector takes a request now: free space on the disk, and the limits of a site and an address.

In: the size of a request and its site. Out: nothing; or a Problem (429, 503), its events counted as limited.
"""

from __future__ import annotations

from collections import Counter
from time import monotonic

from ingestion.collector import metrics
from ingestion.collector.limits import Limit, address_limit, bytes_limit, events_limit
from ingestion.collector.problems import Problem, storage_unavailable
from ingestion.collector.sites import KnownSite
from ingestion.collector.state import Collector


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
