"""The queue of events to deliver: bounded, in order, and safe to use from several threads.

In: events as bytes, from any thread. Out: batches that fit into a request; a Problem for every event that does not
count; a call to those who wait until their events are settled.
"""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tributary_client.events import MAX_EVENT_BYTES

BATCH_EVENTS, BATCH_SECONDS = 100, 5.0

log = logging.getLogger("tributary_client.client")


@dataclass(frozen=True)
class Problem:
    """An event that does not count, and why. It is unredacted: mind the personal data in it."""

    event: dict[str, Any]
    reason: str  # the collector's code, queue_full, or http_401 and the like
    detail: str = ""
    layer: str | None = None  # of the collector's validation, which stores the event; None: it was not delivered
    field: str | None = None


class Outbox:
    """The queue. An event stays in it until the collector has answered, so that no event in flight is lost."""

    def __init__(self, max_events: int, on_error: Callable[[Problem], None] | None) -> None:
        self.max_events, self.on_error = max_events, on_error
        self.events: deque[tuple[float, bytes]] = deque()  # with the time when each was added
        self.added = self.settled = 0
        self.lost = 0  # dropped, or rejected with the whole request: not delivered
        self.dropped = 0  # since the queue became full
        self.hurried = 0  # events added before the last `hurry`, which are due at once
        self.hurries = 0
        self.until = math.inf  # monotonic clock: when delivery ends; finite once closed
        self._lock = threading.Lock()
        self._waiters: list[tuple[int, Callable[[], object]]] = []

    def __len__(self) -> int:
        return len(self.events)

    @property
    def closed(self) -> bool:
        return self.until < math.inf

    def close(self, timeout: float) -> None:
        """Accept no more events, and give up after so many seconds."""
        with self._lock:
            self.until = min(self.until, time.monotonic() + timeout)

    def add(self, event: bytes) -> bool:
        """Queue an event, or drop and report it if the queue is full. Returns whether to wake the driver."""
        with self._lock:
            if self.closed:
                raise RuntimeError("this client is closed: use one that is open")
            if len(self.events) < self.max_events:
                self.events.append((time.monotonic(), event))
                self.added += 1
                return len(self.events) in (1, BATCH_EVENTS)
            self.lost += 1
            self.dropped += 1
            first = self.dropped == 1
        if first:
            log.warning(
                "the queue is full: %d events wait for the collector, further events are dropped until it answers",
                self.max_events,
            )
        self.report(
            Problem(event=json.loads(event), reason="queue_full", detail=f"{self.max_events} events already wait")
        )
        return False

    def hurry(self, done: Callable[[], object]) -> None:
        """Make the queued events due at once. Call `done` when all of them are settled."""
        with self._lock:
            self.hurried, self.hurries = self.added, self.hurries + 1
            if waits := self.settled < self.added:
                self._waiters.append((self.added, done))
        if not waits:
            done()

    def pause(self) -> float | None:
        """Return the seconds until a batch is due: 0 if it is due now, None without events."""
        with self._lock:
            if not self.events:
                return None
            if len(self.events) >= BATCH_EVENTS or self.settled < self.hurried:
                return 0.0
            return max(0.0, self.events[0][0] + BATCH_SECONDS - time.monotonic())

    def batch(self, limit: int) -> list[bytes]:
        """Return the oldest events, at most `limit` and as many as fit into one request. They stay in the queue."""
        events: list[bytes] = []
        room = MAX_EVENT_BYTES
        with self._lock:
            for _, event in islice(self.events, limit):
                room -= len(event) + 1
                if events and room < 0:
                    break
                events.append(event)
        return events

    def settle(self, count: int, problems: list[Problem]) -> None:
        """Remove the oldest `count` events, which the collector answered, some of them with a problem."""
        for reason, number in Counter(problem.reason for problem in problems).items():
            log.warning("%d of %d events do not count: %s", number, count, reason)
        for problem in problems:
            self.report(problem)
        with self._lock:
            for _ in range(count):
                self.events.popleft()
            self.settled += count
            self.lost += sum(problem.layer is None for problem in problems)
            dropped, self.dropped = self.dropped, 0
            ready = [done for target, done in self._waiters if target <= self.settled]
            self._waiters = [waiter for waiter in self._waiters if waiter[0] > self.settled]
        if dropped:
            log.warning("%d events were dropped while the queue was full", dropped)
        for done in ready:
            done()

    def report(self, problem: Problem) -> None:
        """Pass a problem to `on_error`. Its errors must not stop the delivery."""
        if self.on_error:
            try:
                self.on_error(problem)
            except Exception:
                log.exception("on_error failed")
