"""The base of both clients: settings, outbox, and the handling of forks and exits.

In: the arguments of a client. Out: Sender. Its subclasses drive the deliveries.
"""

from __future__ import annotations

import atexit
import contextlib
import gzip
import os
import weakref
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import httpx

from tributary_client.delivery import Answer, Post, deliveries
from tributary_client.events import Events
from tributary_client.outbox import Outbox, Problem, log


class Sender(Events):
    """A queue of events for one collector."""

    def __init__(
        self,
        url: str,
        public_key: str,
        server_key: str | None = None,
        *,
        on_error: Callable[[Problem], None] | None = None,
        max_queue: int = 10_000,
        timeout: float = 10.0,
    ) -> None:
        """Raises ValueError if a key is missing or the URL is malformed.

        url: of the collector. server_key: default TRIBUTARY_SERVER_KEY. on_error: called with a Problem for every event
        that does not count (Client mostly calls it from its thread). max_queue: events that may wait; the client drops
        more, and reports them to on_error. timeout: seconds of one request.
        """
        key = (server_key or os.environ.get("TRIBUTARY_SERVER_KEY") or "").strip()
        if not key:
            raise ValueError("no server key: set TRIBUTARY_SERVER_KEY to the key that the collector has for this site")
        if httpx.URL(url).scheme not in ("http", "https"):
            raise ValueError(f"{url} is not a URL of a collector, such as https://collect.example.com")
        self._url, self._public_key, self._timeout = f"{url.rstrip('/')}/api/track", public_key, timeout
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "User-Agent": "tributary-client",
        }
        self._outbox = Outbox(max_queue, on_error)
        self._begin()
        _open.add(self)
        atexit.register(self._at_exit)

    @abstractmethod
    def _begin(self) -> None:
        """Create the objects that belong to one process."""

    @abstractmethod
    def _at_exit(self) -> None:
        """Deliver the queued events, as the process ends."""

    def _forked(self) -> None:
        """Start anew in a child process: the parent sends the events that wait."""
        self._outbox = Outbox(self._outbox.max_events, self._outbox.on_error)
        self._begin()

    def _request(self, post: Post) -> dict[str, Any]:
        """Return the arguments of httpx's post."""
        timeout = min(self._timeout, post.seconds)
        return {"url": self._url, "content": gzip.compress(post.body, 1), "headers": self._headers, "timeout": timeout}

    def _deliver(self, http: httpx.Client, wait: Callable[[float | None], object]) -> None:
        """Drive the deliveries in this thread."""
        steps = deliveries(self._outbox, self._public_key)
        answer: Answer = None
        with http, contextlib.suppress(StopIteration):
            while True:
                step, answer = steps.send(answer), None
                if isinstance(step, Post):
                    try:
                        answer = http.post(**self._request(step))
                    except httpx.HTTPError as error:
                        answer = error
                else:
                    wait(step.seconds)

    def _report_lost(self) -> int:
        """Return, and log, how many events were not delivered."""
        _open.discard(self)
        atexit.unregister(self._at_exit)
        lost = self._outbox.lost + len(self._outbox)
        if lost:
            log.warning("closed: %d events were not delivered", lost)
        return lost


_open: weakref.WeakSet[Sender] = weakref.WeakSet()


def _after_fork() -> None:
    for client in list(_open):
        client._forked()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
