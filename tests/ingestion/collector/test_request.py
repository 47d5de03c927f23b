"""Bodies that arrive in parts: their limits, each and together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from ingestion.collector import request
from ingestion.collector.problems import Problem
from ingestion.collector.request import MAX_BODY, MAX_WEBHOOK_BODY, Disconnected, read_body

MIB = 1 << 20


class Sender:
    """A client that sends the parts of a body and then waits, or ends the request or the connection."""

    def __init__(self, *parts: int, last: str = "end") -> None:
        self.parts, self.last, self.wait = list(parts), last, asyncio.Event()

    async def receive(self) -> dict:
        if self.parts:
            size = self.parts.pop(0)
            return {"type": "http.request", "body": b" " * size, "more_body": bool(self.parts) or self.last != "end"}
        await self.wait.wait()
        return {"type": "http.disconnect"}


@pytest.mark.parametrize("most", [MAX_BODY, MAX_WEBHOOK_BODY])
def test_a_body_has_at_most_the_bytes_of_its_path(most):
    def read(*parts: int, length: int | None = None) -> int:
        headers = {} if length is None else {b"content-length": str(length).encode()}
        return len(asyncio.run(read_body(headers, Sender(*parts).receive, most)))

    assert read(most) == read(most // 2, most // 2) == read(most, length=most) == most
    for refused in (
        lambda: read(most + 1),
        lambda: read(most, 1),
        lambda: read(*[MIB // 4] * (4 * most // MIB), 1),
        lambda: read(1, length=most + 1),
    ):
        with pytest.raises(Problem, match=f"larger than {most // MIB} MiB") as problem:
            refused()
        assert problem.value.status == 413
    assert request._unfinished == {"bytes": 0, "beyond": 0}


def test_large_bodies_leave_memory_for_others():
    """However many senders of large bodies there are, and whoever they are, their bodies share one limit."""

    async def flood(count: int, most: int, *parts: int) -> tuple[int, list[Callable]]:
        senders = [Sender(*parts, last="wait") for _ in range(count)]
        reads = [asyncio.ensure_future(read_body({}, sender.receive, most)) for sender in senders]
        await asyncio.sleep(0.1)
        refused = [read for read in reads if read.done()]
        assert {read.exception().status for read in refused} <= {503}
        held = dict(request._unfinished)
        assert len(await read_body({}, Sender(MIB // 2, MIB // 2).receive)) == MIB  # events arrive meanwhile
        for sender in senders:
            sender.wait.set()
        ended = await asyncio.gather(*reads, return_exceptions=True)
        assert all(isinstance(each, Problem | Disconnected) for each in ended)
        assert request._unfinished == {"bytes": 0, "beyond": 0}
        return len(refused), held

    refused, held = asyncio.run(flood(40, MAX_WEBHOOK_BODY, *[MIB] * 7))
    assert refused > 0
    assert held["beyond"] <= request.MAX_UNFINISHED_BEYOND
    assert held["bytes"] <= request.MAX_UNFINISHED_BEYOND + 40 * MIB
    refused, held = asyncio.run(flood(40, MAX_BODY, *[MIB // 4] * 4))
    assert (refused, held) == (0, {"bytes": 40 * MIB, "beyond": 0})
