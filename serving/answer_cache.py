"""Encoded answers of published versions: an answer of a version never changes. In: a key, bytes. Out: the bytes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

CACHE_BYTES = 64_000_000


@dataclass
class AnswerCache:
    """Encoded answers of the current versions. An answer of a version never changes."""

    bodies: OrderedDict[str, tuple[bytes, str | None]] = field(default_factory=OrderedDict)
    size: int = 0
    lock: Lock = field(default_factory=Lock)

    def get(self, key: str) -> tuple[bytes, str | None] | None:
        """Return a body and its next cursor."""
        with self.lock:
            found = self.bodies.get(key)
            if found:
                self.bodies.move_to_end(key)
            return found

    def put(self, key: str, body: bytes, cursor: str | None) -> None:
        """Keep a body; drop those that were not used for the longest time."""
        if len(body) > CACHE_BYTES // 8:
            return
        with self.lock:
            if key not in self.bodies:
                self.bodies[key] = (body, cursor)
                self.size += len(body)
            while self.size > CACHE_BYTES:
                _, (dropped, _) = self.bodies.popitem(last=False)
                self.size -= len(dropped)
