"""Encoded answers of published versions: an answer of a version never changes.

In: a key, a function that makes the answer. Out: Body. Equal requests at one time make it once.
"""

from __future__ import annotations

import gzip
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

CACHE_BYTES = 64_000_000
SMALLEST_GZIP = 500  # bytes
GZIP_LEVEL = 4  # a fifth of the time of level 9, for a tenth more bytes


@dataclass(frozen=True)
class Body:
    """An encoded answer. cursor: of the next page."""

    plain: bytes
    cursor: str | None
    gzipped: bytes | None = None

    @property
    def size(self) -> int:
        """The bytes that it takes in the cache."""
        return len(self.plain) + len(self.gzipped or b"")


def text_body(plain: bytes, cursor: str | None) -> Body:
    """Return the body of a text, compressed once for all who ask for it."""
    return Body(plain, cursor, gzip.compress(plain, GZIP_LEVEL, mtime=0) if len(plain) >= SMALLEST_GZIP else None)


@dataclass
class AnswerCache:
    """The answers that were used last."""

    bodies: OrderedDict[str, Body] = field(default_factory=OrderedDict)
    size: int = 0
    lock: Lock = field(default_factory=Lock)
    under_way: dict[str, Lock] = field(default_factory=dict)

    def get(self, key: str, make: Callable[[], Body]) -> Body:
        """Return the body of a key, and make it if the cache does not have it."""
        with self.lock:
            if found := self._found(key):
                return found
            making = self.under_way.setdefault(key, Lock())
        with making:
            with self.lock:
                if found := self._found(key):
                    return found
            try:
                body = make()
                self._put(key, body)
            finally:
                with self.lock:
                    self.under_way.pop(key, None)
        return body

    def _found(self, key: str) -> Body | None:
        found = self.bodies.get(key)
        if found:
            self.bodies.move_to_end(key)
        return found

    def _put(self, key: str, body: Body) -> None:
        """Keep a body; drop those that were not used for the longest time."""
        if body.size > CACHE_BYTES // 8:
            return
        with self.lock:
            replaced = self.bodies.pop(key, None)
            self.bodies[key] = body
            self.size += body.size - (replaced.size if replaced else 0)
            while self.size > CACHE_BYTES:
                _, dropped = self.bodies.popitem(last=False)
                self.size -= dropped.size
