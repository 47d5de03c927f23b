"""Events of a server's own code -> the collector, without making that code wait.

In: what happened, by the helpers of events.py. Out: batches posted to /api/track from a thread (Client) or a
task (AsyncClient), each event counted once however often it had to be sent.

    from tributary_client.client import Client

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

DEADLINE = 10.0  # seconds that flush and close take at most, unless told


class Client(Sender):
    """Delivers from a background thread. May be shared between threads, and survives a fork."""

    def _begin(self) -> None:
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._wake = threading.Event()

    def send(self, event: bytes) -> None:
        if self._outbox.add(event):
            with self._starting:
                if self._thread is None:
                    # Made here, because it imports modules: a fork amid that in the thread breaks them in the child.
                    http = httpx.Client()
                    self._thread = threading.Thread(target=self._run, args=(http,), daemon=True)
                    self._thread.start()
            self._wake.set()

    def flush(self, timeout: float = DEADLINE) -> int:
        """Deliver what was tracked, in at most `timeout` seconds. Returns how many events still wait."""
        done = threading.Event()
        self._outbox.hurry(done.set)
        self._wake.set()
        done.wait(timeout)
        return len(self._outbox)

    def close(self, timeout: float = DEADLINE) -> int:
        """Flush and end. Returns how many events were never delivered in this client's life, and logs it."""
        self._outbox.close(timeout)
        self.flush(timeout)
        return self._ended()

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
    """Delivers from a task of the running loop. Its helpers only queue, and are not awaited; flush and close are."""

    def _begin(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()

    def send(self, event: bytes) -> None:
        asyncio.get_running_loop()  # or nobody would deliver it
        self._outbox.add(event)
        self._ensure_task()
        self._wake.set()

    def _ensure_task(self) -> None:
        """A task of the running loop; that of an earlier loop ended with it."""
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._wake = asyncio.Event()
            self._task = loop.create_task(self._run(), name="tributary-client")

    async def flush(self, timeout: float = DEADLINE) -> int:
        """Deliver what was tracked, in at most `timeout` seconds. Returns how many events still wait."""
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
        """Flush and end. Returns how many events were never delivered in this client's life, and logs it."""
        self._outbox.close(timeout)
        await self.flush(timeout)
        if self._task and self._task.get_loop() is asyncio.get_running_loop():
            self._task.cancel()
            await asyncio.wait([self._task])
        return self._ended()

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
        """The loop is gone: this thread delivers what it left."""
        self._outbox.close(DEADLINE)
        self._outbox.hurry(lambda: None)
        self._deliver(httpx.Client(), lambda seconds: time.sleep(seconds or 0))
        self._ended()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()
