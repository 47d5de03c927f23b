"""Send events from a server's code to the collector, without making that code wait.

In: events, by the helpers of events.py. Out: batches posted to /api/track from a thread (Client) or a task
(AsyncClient). Each event counts once, however often it is sent.

    from tributary_client import Client

    with Client("https://collect.example.com", "pk_1f2e3d") as client:  # TRIBUTARY_SERVER_KEY is in the environment
        client.conversion(value="49.90", currency="EUR", order_id="1001", anon_id=visitor)
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from types import TracebackType
from typing import Self

import httpx

from tributary_client.delivery import Answer, Post, deliveries
from tributary_client.events import Details, Money
from tributary_client.outbox import Problem
from tributary_client.sender import Sender

__all__ = ["AsyncClient", "Client", "Details", "Money", "Problem"]

DEADLINE = 10.0  # seconds that flush and close take at most, by default


class Client(Sender):
    """A client that delivers from a background thread. Threads may share it, and it survives a fork."""

    def _begin(self) -> None:
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._wake = threading.Event()

    def send(self, event: bytes) -> None:
        if self._outbox.add(event):
            with self._starting:
                if self._thread is None:
                    # httpx.Client imports modules. A fork during an import in the thread would break them in the child.
                    http = httpx.Client()
                    self._thread = threading.Thread(target=self._run, args=(http,), daemon=True)
                    self._thread.start()
            self._wake.set()

    def flush(self, timeout: float = DEADLINE) -> int:
        """Deliver the queued events, in at most `timeout` seconds. Returns how many still wait."""
        done = threading.Event()
        self._outbox.hurry(done.set)
        self._wake.set()
        done.wait(timeout)
        return len(self._outbox)

    def close(self, timeout: float = DEADLINE) -> int:
        """Flush and end. Returns, and logs, how many events this client never delivered."""
        self._outbox.close(timeout)
        self.flush(timeout)
        return self._report_lost()

    def _run(self, http: httpx.Client) -> None:
        def wait(seconds: float | None) -> None:
            self._wake.wait(seconds)
            self._wake.clear()

        self._deliver(http, wait)

    def _at_exit(self) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class AsyncClient(Sender):
    """A client that delivers from a task of the running loop. Await flush and close; the helpers only queue."""

    def _begin(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()

    def send(self, event: bytes) -> None:
        asyncio.get_running_loop()  # raises without a loop, in which no task could deliver
        self._outbox.add(event)
        self._ensure_task()
        self._wake.set()

    def _ensure_task(self) -> None:
        """Start a task in the running loop. The task of an earlier loop ended with that loop."""
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._wake = asyncio.Event()
            self._task = loop.create_task(self._run(), name="tributary-client")

    async def flush(self, timeout: float = DEADLINE) -> int:
        """Deliver the queued events, in at most `timeout` seconds. Returns how many still wait."""
        done = asyncio.Event()
        self._outbox.hurry(done.set)
        if self._outbox:
            self._ensure_task()
        self._wake.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await done.wait()
        return len(self._outbox)

    async def close(self, timeout: float = DEADLINE) -> int:
        """Flush and end. Returns, and logs, how many events this client never delivered."""
        self._outbox.close(timeout)
        await self.flush(timeout)
        if self._task and self._task.get_loop() is asyncio.get_running_loop():
            self._task.cancel()
            await asyncio.wait([self._task])
        return self._report_lost()

    async def _run(self) -> None:
        steps = deliveries(self._outbox, self._public_key)
        answer: Answer = None
        async with httpx.AsyncClient() as http:
            with contextlib.suppress(StopIteration):
                while True:
                    step, answer = steps.send(answer), None
                    if isinstance(step, Post):
                        try:
                            answer = await http.post(**self._request(step))
                        except httpx.HTTPError as error:
                            answer = error
                    else:
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(step.seconds):
                                await self._wake.wait()
                        self._wake.clear()

    def _at_exit(self) -> None:
        """Deliver the remaining events in this thread, after the loop has ended."""
        self._outbox.close(DEADLINE)
        self._outbox.hurry(lambda: None)
        self._deliver(httpx.Client(), lambda seconds: time.sleep(seconds or 0))
        self._report_lost()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()
