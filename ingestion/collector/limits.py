"""Limit the events of a site. In: a site's limit and the size of a request. Out: seconds to wait, 0 for none.

A token bucket holds a minute's events and fills evenly. It is in memory by default, where each worker has its share of
the limit; in Redis, if TRIBUTARY_REDIS_URL names one, all workers and machines share it.
"""

from __future__ import annotations

import logging

from ingestion.collector.events import MAX_EVENTS
from ingestion.settings.model import SettingsError

_log = logging.getLogger("tributary.collector")
_REDIS_SECONDS = 0.25  # a slower answer counts as none
_PAUSE = 5.0  # seconds without Redis after it failed

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


class Buckets:
    """Token buckets in memory."""

    def __init__(self, share: float = 1.0) -> None:
        """share: of each limit, where several workers have buckets each."""
        self._share = share
        self._buckets: dict[str, tuple[float, float]] = {}  # site -> tokens, when

    def take(self, site: str, per_minute: int, events: int, now: float) -> float:
        """Take tokens, or return the seconds until there are enough. now: seconds of a clock that never goes back."""
        size, rate = capacity(per_minute * self._share), per_minute * self._share / 60
        tokens, at = self._buckets.get(site, (size, now))
        tokens = min(size, tokens + (now - at) * rate)
        wait = 0.0
        if tokens >= events:
            tokens -= events
        else:
            wait = (events - tokens) / rate
        self._buckets[site] = (tokens, now)
        return wait


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

    async def take(self, site: str, per_minute: int, events: int, now: float) -> float:
        """Take tokens, or return the seconds until there are enough."""
        from redis.exceptions import RedisError

        if now >= self._not_before:
            try:
                arguments = [capacity(per_minute), per_minute / 60, events]
                return float(await self._script(keys=[f"tributary:limit:{site}"], args=arguments))
            except (RedisError, OSError) as error:
                self._not_before = now + _PAUSE
                _log.error("Redis does not answer (%s): each worker limits by itself", type(error).__name__)
        return self._fallback.take(site, per_minute, events, now)

    async def close(self) -> None:
        await self._redis.aclose()


def capacity(per_minute: float) -> float:
    """Return the size of a bucket: a full request always fits."""
    return max(per_minute, MAX_EVENTS)
