"""Limit the events and bytes of a site and of each address. In: limits, amounts. Out: seconds to wait, 0 for none.

A token bucket holds a minute's amount and fills evenly. Buckets of sites are in memory by default, where each worker
has its share of the limit; in Redis, if TRIBUTARY_REDIS_URL names one, all workers and machines share them. Buckets of
addresses are always in memory.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from ingestion.collector.events import MAX_EVENTS
from ingestion.collector.request import MAX_BODY
from ingestion.settings.model import SettingsError, Site

_log = logging.getLogger("tributary.collector")
_REDIS_SECONDS = 0.25  # a slower answer counts as none
_PAUSE = 5.0  # seconds without Redis after it failed
_MOST = 100_000  # buckets in memory
_BYTES_OF_EVENT = 4096  # for each event of a site's limit, unless the site has a limit of megabytes
_ADDRESS_SHARE = 10  # one address may send a tenth of a site's events, unless the site has another limit

# Redis reads its own clock, so that machines need not agree on the time.
_SCRIPT = """
local time = redis.call('time')
local now = time[1] + time[2] / 1000000
local size, rate, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local state = redis.call('hmget', KEYS[1], 'tokens', 'at')
local tokens = math.min(size, (tonumber(state[1]) or size) + math.max(0, now - (tonumber(state[2]) or now)) * rate)
local wait = 0
if tokens >= wanted then tokens = tokens - wanted else wait = (wanted - tokens) / rate end
redis.call('hset', KEYS[1], 'tokens', tostring(tokens), 'at', tostring(now))
redis.call('pexpire', KEYS[1], math.ceil(size / rate * 1000) + 1000)
return tostring(wait)
"""


class Limit(NamedTuple):
    """What a bucket holds and how fast it fills."""

    name: str  # of the bucket
    per_minute: float
    least: float  # capacity of the bucket, so that a full request always fits
    detail: str  # a sentence for the sender who exceeds it


def events_limit(site: Site) -> Limit:
    """Return the limit of a site's events."""
    detail = f"The site sends more than {site.events_per_minute:,} events a minute"
    return Limit(site.id, site.events_per_minute, MAX_EVENTS, detail)


def bytes_limit(site: Site) -> Limit:
    """Return the limit of a site's bytes, decompressed."""
    megabytes = site.mb_per_minute or site.events_per_minute * _BYTES_OF_EVENT / 1e6
    detail = f"The site sends more than {megabytes:g} MB a minute"
    return Limit(f"bytes of {site.id}", megabytes * 1e6, MAX_BODY, detail)


def address_limit(site: Site, address_hash: str) -> Limit:
    """Return the limit of the events that one address sends to a site."""
    per_minute = site.address_events_per_minute or site.events_per_minute / _ADDRESS_SHARE
    detail = f"This address sends more than {per_minute:,.0f} events a minute to the site"
    return Limit(f"{site.id} {address_hash}", per_minute, MAX_EVENTS, detail)


class Buckets:
    """Token buckets in memory."""

    def __init__(self, share: float = 1.0) -> None:
        """share: of each limit, where several workers have buckets each."""
        self._share = share
        self._buckets: dict[str, tuple[float, float]] = {}  # name -> tokens, when

    def take(self, limit: Limit, amount: float, now: float) -> float:
        """Take tokens, or return the seconds until there are enough. now: seconds of a clock that never goes back."""
        per_minute = limit.per_minute * self._share
        size, rate = max(per_minute, limit.least), per_minute / 60
        tokens, at = self._buckets.get(limit.name, (size, now))
        tokens = min(size, tokens + (now - at) * rate)
        wait = 0.0
        if tokens >= amount:
            tokens -= amount
        else:
            wait = (amount - tokens) / rate
        if len(self._buckets) >= _MOST and limit.name not in self._buckets:
            self._forget_old(now)
        self._buckets[limit.name] = (tokens, now)
        return wait

    def _forget_old(self, now: float) -> None:
        """Forget the buckets that no request used in the last minute, or all if there are too many others."""
        self._buckets = {name: bucket for name, bucket in self._buckets.items() if now - bucket[1] < 60}
        if len(self._buckets) >= _MOST:
            self._buckets.clear()


class RedisBuckets:
    """Token buckets in Redis; in memory for as long as Redis does not answer."""

    def __init__(self, url: str, fallback: Buckets) -> None:
        """Raises SettingsError where the URL is malformed. It may hold a password, so that no message quotes it."""
        try:
            from redis.asyncio import Redis

            self._redis = Redis.from_url(url, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS)
        except ImportError:
            raise SettingsError("TRIBUTARY_REDIS_URL: run `pip install 'tributary[redis]'` to use Redis") from None
        except ValueError:
            raise SettingsError("TRIBUTARY_REDIS_URL is not a URL such as redis://host:6379/0") from None
        self._script = self._redis.register_script(_SCRIPT)
        self._fallback, self._not_before = fallback, 0.0

    async def take(self, limit: Limit, amount: float, now: float) -> float:
        """Take tokens, or return the seconds until there are enough."""
        from redis.exceptions import RedisError

        if now >= self._not_before:
            try:
                arguments = [max(limit.per_minute, limit.least), limit.per_minute / 60, amount]
                return float(await self._script(keys=[f"tributary:limit:{limit.name}"], args=arguments))
            except (RedisError, OSError) as error:
                self._not_before = now + _PAUSE
                _log.error("Redis does not answer (%s): each worker limits by itself", type(error).__name__)
        return self._fallback.take(limit, amount, now)

    async def close(self) -> None:
        await self._redis.aclose()
