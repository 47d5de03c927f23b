"""IP addresses and cookieless visitors as hashes that nobody can recompute once their salt is gone.

In: an address, in memory. Out: its HMAC-SHA256 under a random salt of today. The salts of today and of the day before
are in the home folder, readable by its owner only and shared by all workers; older ones are overwritten.
"""

from __future__ import annotations

import fcntl
import hmac
import logging
import os
import secrets
import time
from functools import lru_cache
from pathlib import Path

import msgspec

_log = logging.getLogger("tributary.collector")
_SESSION = 1800.0  # seconds without an event that end a session
_REMEMBERED = 100_000  # visitors whose session may go on past midnight


class _Salts(msgspec.Struct, frozen=True):
    period: int  # number of the period since 1970
    current: bytes
    previous: bytes | None = None


class Identity:
    """The salts of one process. Periods start at midnight UTC when they last a day."""

    def __init__(self, file: Path, salt_hours: int) -> None:
        """file: where the salts are kept; raises OSError where it cannot be."""
        self._file, self._seconds = file, salt_hours * 3600
        self._seen: dict[str, float] = {}  # daily id -> when it was last seen
        self._asked_for = -1
        self._salts = self._load(self._period(time.time()))

    def ip_hash(self, address: str, now: float) -> str:
        """32 hexadecimal digits; the same address has the same until the salt is changed. now: seconds since 1970."""
        return _hash(self._salts_at(now).current, "ip", address)

    def daily_id(self, site: str, address: str, user_agent: str, now: float) -> str:
        """The id of a visitor of a cookieless site. A session that is under way at midnight keeps its id."""
        salts = self._salts_at(now)
        visitor = (site, address, user_agent)
        found = _hash(salts.current, *visitor)
        if salts.previous and found not in self._seen and len(self._seen):
            before = _hash(salts.previous, *visitor)
            if now - self._seen.get(before, 0.0) < _SESSION:
                found = before
        if len(self._seen) >= _REMEMBERED:
            self._seen = {key: at for key, at in self._seen.items() if now - at < _SESSION}
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
        self._seen[found] = now
        return found

    def _period(self, now: float) -> int:
        return int(now // self._seconds)

    def _salts_at(self, now: float) -> _Salts:
        period = self._period(now)
        if period != self._asked_for:
            try:
                self._salts = self._load(period)
            except OSError as error:
                # Worse than a hash that only this process knows would be one that can be recomputed for ever.
                _log.error("salts not saved: %s", os.strerror(error.errno or 0))
                self._salts = _next(self._salts, period)
                self._asked_for = period
        return self._salts

    def _load(self, period: int) -> _Salts:
        """The salts of the period, made by whichever process comes first."""
        lock = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            salts = _read(self._file)
            if salts is None or _is_over(salts, period):
                salts = _next(salts, period)
                _replace(self._file, msgspec.json.encode(salts))
        finally:
            os.close(lock)
        self._asked_for = period
        return salts


def _is_over(salts: _Salts, period: int) -> bool:
    """A clock that is one period back waits for the present one; one that is further back starts anew."""
    return period > salts.period or period < salts.period - 1


def _next(salts: _Salts | None, period: int) -> _Salts:
    previous = salts.current if salts and abs(period - salts.period) == 1 else None
    return _Salts(period, secrets.token_bytes(32), previous)


def _hash(salt: bytes, *parts: str) -> str:
    keyed = _keyed(salt).copy()
    keyed.update("\0".join(parts).encode("utf-8", "replace"))
    return keyed.hexdigest()[:32]


@lru_cache(maxsize=2)
def _keyed(salt: bytes) -> hmac.HMAC:
    # Made once: hmac.digest() lets another thread run each time, and then has to wait for it.
    return hmac.new(salt, digestmod="sha256")


def _read(file: Path) -> _Salts | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Salts)
    except FileNotFoundError:
        return None
    except ValueError:
        return None  # not ours or damaged: new salts only mean new hashes


def _replace(file: Path, content: bytes) -> None:
    """Whole or not at all; what was there is overwritten, as far as the disk overwrites."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(fd, content)
        os.fsync(fd)
    finally:
        os.close(fd)
    try:
        old = os.open(file, os.O_WRONLY)
    except FileNotFoundError:
        old = None
    os.replace(temporary, file)
    if old is not None:
        os.write(old, bytes(os.fstat(old).st_size))
        os.fsync(old)
        os.close(old)
