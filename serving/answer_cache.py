"""Answers of published versions, as rows and encoded: an answer of a version never changes.

In: a key with the version in it, a function that makes the answer. Out: the answer. Equal requests at one time make it
once.
"""

from __future__ import annotations

import gzip
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, Protocol, TypeVar

CACHE_BYTES = 64_000_000
SMALLEST_GZIP = 500  # bytes
GZIP_LEVEL = 4  # a fifth of the time of level 9, for a tenth more bytes


class Sized(Protocol):
    """A value that knows about how many bytes it takes in memory."""

    @property
    def size(self) -> int: ...


T = TypeVar("T", bound=Sized)


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
class AnswerCache(Generic[T]):
    """The answers that were used last."""

    kept: OrderedDict[str, T] = field(default_factory=OrderedDict)
    size: int = 0
    lock: Lock = field(default_factory=Lock)
    under_way: dict[str, Lock] = field(default_factory=dict)

    def get(self, key: str, make: Callable[[], T]) -> T:
        """Return the answer of a key, and make it if the cache does not have it."""
        with self.lock:
            if found := self._found(key):
                return found
            making = self.under_way.setdefault(key, Lock())
        with making:
            with self.lock:
                if found := self._found(key):
                    return found
            try:
                answer = make()
                self._put(key, answer)
            finally:
                with self.lock:
                    self.under_way.pop(key, None)
        return answer

    def _found(self, key: str) -> T | None:
        found = self.kept.get(key)
        if found:
            self.kept.move_to_end(key)
        return found

    def _put(self, key: str, answer: T) -> None:
        """Keep an answer; drop those that were not used for the longest time."""
        if answer.size > CACHE_BYTES // 8:
            return
        with self.lock:
            replaced = self.kept.pop(key, None)
            self.kept[key] = answer
            self.size += answer.size - (replaced.size if replaced else 0)
            while self.size > CACHE_BYTES:
                _, dropped = self.kept.popitem(last=False)
                self.size -= dropped.size
