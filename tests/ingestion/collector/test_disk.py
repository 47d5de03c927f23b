"""A disk that fills up, one that turns read-only, and one that recovers: a real file system, the real collector."""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ingestion.home import Home
from ingestion.segments.loading import load_landing
from ingestion.settings.load import load_settings
from ingestion.warehouse import build_lock, connect
from tests.support.collector import Running, collecting

SETTINGS = """
orgs: [{id: default, currency: USD, timezone: UTC}]
sites: [{id: shop, org: default, public_key: pk_disk, domains: [shop.example], events_per_minute: 100000000}]
collector: {min_free_mb: 0}
"""


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """A home with a landing folder on a disk of two megabytes."""
    landing = tmp_path / "landing"
    landing.mkdir()
    if os.geteuid() != 0 or not mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(landing)):
        pytest.skip("needs root and the right to mount a separate file system")
    yield tmp_path
    subprocess.run(["umount", landing], check=True)


class Sender:
    def __init__(self, collector: Running) -> None:
        self.url, self.sent, self.acknowledged = f"{collector.url}/api/track", 0, set()

    def send(self) -> httpx.Response:
        ids = [f"e{self.sent + number}" for number in range(50)]
        self.sent += len(ids)
        events = [{"eventId": id_, "type": "PAGE_VIEW", "anonId": "v", "title": "x" * 500} for id_ in ids]
        body = {"publicKey": "pk_disk", "events": events}
        answer = httpx.post(self.url, json=body, headers={"Origin": "https://shop.example"})
        if answer.status_code == 202:
            self.acknowledged.update(ids)
        return answer

    def send_until_refused(self) -> httpx.Response:
        for _ in range(200):
            answer = self.send()
            if answer.status_code != 202:
                return answer
        pytest.fail("the disk took more than it holds")


def check_refusal(answer: httpx.Response, why: str) -> None:
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"
    assert why in answer.json()["detail"]


def events(home: Home) -> Counter[str]:
    with build_lock(home, "test"), connect(home) as connection:
        load_landing(connection, home, load_settings(home))
        return Counter(id_ for (id_,) in connection.execute("select event_id from raw.events").fetchall())


def test_a_full_disk_rejects_requests_and_loses_no_acknowledged_event(disk, monkeypatch):
    with collecting(disk, SETTINGS) as collector:
        sender = Sender(collector)
        check_refusal(sender.send_until_refused(), "No space left on device")
        assert mount("-o", "remount,size=20m", str(disk / "landing"))
        assert sender.send().status_code == 202
        collector.stop()
    monkeypatch.setenv("TRIBUTARY_HOME", str(disk))
    found = events(Home.from_environment())
    assert len(sender.acknowledged) > 1000
    assert sender.acknowledged - set(found) == set()
    assert max(found.values()) == 1


def test_a_read_only_disk_rejects_requests_until_it_recovers(disk, monkeypatch):
    with collecting(disk, SETTINGS) as collector:
        sender = Sender(collector)
        assert sender.send().status_code == 202
        # Refused while a segment is open for writing: once the collector has closed it.
        deadline = time.monotonic() + 60
        while not mount("-o", "remount,ro", str(disk / "landing")):
            assert time.monotonic() < deadline, "the segment was never closed"
            time.sleep(0.2)
        check_refusal(sender.send_until_refused(), "Read-only file system")
        assert mount("-o", "remount,rw", str(disk / "landing"))
        assert sender.send().status_code == 202
        collector.stop()
    monkeypatch.setenv("TRIBUTARY_HOME", str(disk))
    found = events(Home.from_environment())
    assert len(sender.acknowledged) == len(found) == 100
    assert sender.acknowledged == set(found)
