"""A repetition that arrives while its first sending waits for the disk counts once, and is not lost with it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from ingestion.collector.events import decode_request
from ingestion.collector.intake import take_events
from ingestion.collector.limits import Buckets
from ingestion.collector.problems import Problem
from ingestion.collector.sites import read_sites
from ingestion.collector.state import Collector
from ingestion.collector.webhooks.land_row import land_row
from ingestion.home import Home
from ingestion.segments.writer import LandingUnavailable

SETTINGS = (
    "orgs: [{id: default, currency: EUR}]\nsites: [{id: shop, org: default, public_key: pk, domains: [a.example]}]"
)


class Disk:
    """A landing folder in which the test ends each write."""

    def __init__(self) -> None:
        self.lines: list[dict] = []
        self.waiting: list[asyncio.Future[None]] = []

    async def append(self, line: bytes) -> None:
        written = asyncio.get_running_loop().create_future()
        self.waiting.append(written)
        await written
        self.lines.append(json.loads(line))

    async def is_asked(self, writes: int) -> None:
        """Let every task run as far as it can, and check that so many writes wait."""
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(self.waiting) == writes

    def succeed(self) -> None:
        self.waiting.pop(0).set_result(None)

    def fail(self) -> None:
        self.waiting.pop(0).set_exception(LandingUnavailable("No space left on device"))


@pytest.fixture
def state(tmp_path: Path) -> Any:
    (tmp_path / "tributary.yaml").write_text(SETTINGS)
    home = Home(tmp_path)
    identity = SimpleNamespace()
    return Collector(home=home, sites=read_sites(home), landing=Disk(), identity=identity, buckets=Buckets())


async def send_event(state: Any) -> dict[str, int]:
    body = msgspec.json.encode({"publicKey": "pk", "type": "PAGE_VIEW", "eventId": "e-1", "anonId": "v"})
    site = state.sites.by_id["shop"]
    outcome = await take_events(state, site, body, decode_request(body), address=None, user_agent=None)
    return {"accepted": outcome.accepted, "duplicate": outcome.duplicate}


async def send_row(state: Any) -> dict[str, int]:
    row = {"occurred_at": "2026-07-01T00:00:00Z", "refund_id": "shopify:1", "order_id": "1"}
    is_known = await land_row(state, state.sites.by_id["shop"], "refunds", row, identity="shopify:1", delivery="d-1")
    return {"accepted": int(not is_known), "duplicate": int(is_known)}


@pytest.mark.parametrize("send", [send_event, send_row])
def test_a_repetition_waits_for_the_write_of_its_first_sending(state, send):
    async def run() -> None:
        first = asyncio.create_task(send(state))
        await state.landing.is_asked(1)
        second = asyncio.create_task(send(state))
        await state.landing.is_asked(1)  # the second does not write yet
        state.landing.succeed()
        assert await first == {"accepted": 1, "duplicate": 0}
        await state.landing.is_asked(1)
        state.landing.succeed()
        assert await second == {"accepted": 0, "duplicate": 1}

    asyncio.run(run())
    assert [len(line.get("rows", [])) for line in state.landing.lines] == [1, 0]
    assert not state.recent.pending


@pytest.mark.parametrize("send", [send_event, send_row])
def test_a_repetition_is_stored_if_the_write_of_its_first_sending_fails(state, send):
    async def run() -> None:
        first, second, third = (asyncio.create_task(send(state)) for _ in range(3))
        await state.landing.is_asked(1)
        state.landing.fail()
        with pytest.raises(Problem) as problem:
            await first
        assert problem.value.status == 503
        await state.landing.is_asked(1)  # one of the two others writes, the other waits for it
        state.landing.succeed()
        await state.landing.is_asked(1)
        state.landing.succeed()
        assert [await second, await third] == [{"accepted": 1, "duplicate": 0}, {"accepted": 0, "duplicate": 1}]

    asyncio.run(run())
    assert [len(line.get("rows", [])) for line in state.landing.lines] == [1, 0]
