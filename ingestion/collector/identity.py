"""Hash IP addresses and cookieless visitors, so that nobody can recompute a hash once its salt is destroyed.

In: an address, in memory. Out: its HMAC-SHA256 under today's random salt. The salts of today and of the day before are
in the home folder, which only its owner can read; all workers share them. Older salts are overwritten.
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
_SESSION = 1800.0  # seconds without an event end a session
_REMEMBERED = 100_000  # visitors with sessions that may last past midnight


class _Salts(msgspec.Struct, frozen=True):
    period: int  # number of the period since 1970
    current: bytes
    previous: bytes | None = None


class Identity:
    """The salts of one process. Periods start at midnight UTC when they last a day."""

    def __init__(self, file: Path, salt_hours: int) -> None:
        """file: of the salts. Raises OSError where it cannot be written."""
        self._file, self._seconds = file, salt_hours * 3600
        self._seen: dict[str, float] = {}  # daily id -> its last event, seconds since 1970
        self._loaded_period = -1
        self._salts = self._load(self._period(time.time()))

    def ip_hash(self, address: str, now: float) -> str:
        """Return 32 hexadecimal digits, the same for an address until the salt changes. now: seconds since 1970."""
        return _hash(self._salts_at(now).current, "ip", address)

    def daily_id(self, site: str, address: str, user_agent: str, now: float) -> str:
        """Return the id of a visitor of a cookieless site. A session that spans midnight keeps its id."""
        salts = self._salts_at(now)
        visitor = (site, address, user_agent)
        daily_id = _hash(salts.current, *visitor)
        if salts.previous and daily_id not in self._seen and len(self._seen):
            previous_id = _hash(salts.previous, *visitor)
            if now - self._seen.get(previous_id, 0.0) < _SESSION:
                daily_id = previous_id
        if len(self._seen) >= _REMEMBERED:
            self._seen = {key: at for key, at in self._seen.items() if now - at < _SESSION}
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
        self._seen[daily_id] = now
        return daily_id

    def _period(self, now: float) -> int:
        return int(now // self._seconds)

    def _salts_at(self, now: float) -> _Salts:
        period = self._period(now)
        if period != self._loaded_period:
            try:
                self._salts = self._load(period)
            except OSError as error:
                # A salt that only this process knows is better than an old one, by which hashes can be recomputed.
                _log.error("cannot save the salts, this process uses temporary ones: %s", os.strerror(error.errno or 0))
                self._salts = _next(self._salts, period)
                self._loaded_period = period
        return self._salts

    def _load(self, period: int) -> _Salts:
        """Return the salts of the period; the first process that needs them makes them."""
        lock = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            salts = _read(self._file)
            if salts is None or _is_over(salts, period):
                salts = _next(salts, period)
                _replace(self._file, msgspec.json.encode(salts))
        finally:
            os.close(lock)
        self._loaded_period = period
        return salts


def _is_over(salts: _Salts, period: int) -> bool:
    """Return whether the salts are outdated. A clock one period back keeps them; one further back starts anew."""
    return period > salts.period or period < salts.period - 1


def _next(salts: _Salts | None, period: int) -> _Salts:
    previous = salts.current if salts and abs(period - salts.period) == 1 else None
    return _Salts(period=period, current=secrets.token_bytes(32), previous=previous)


def _hash(salt: bytes, *parts: str) -> str:
    keyed = _keyed(salt).copy()
    keyed.update("\0".join(parts).encode("utf-8", "replace"))
    return keyed.hexdigest()[:32]


@lru_cache(maxsize=2)
def _keyed(salt: bytes) -> hmac.HMAC:
    # Cached, because hmac.digest() releases the interpreter each time and then waits for another thread.
    return hmac.new(salt, digestmod="sha256")


def _read(file: Path) -> _Salts | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Salts)
    except (FileNotFoundError, ValueError):
        return None  # of a damaged file, too: new salts only mean new hashes


def _replace(file: Path, content: bytes) -> None:
    """Replace a file as a whole, and overwrite its old content, as far as the disk overwrites."""
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
