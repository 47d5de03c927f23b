"""kill -9 of the collector under load, of the load in a transaction and of both, at random moments, many times.

Every acknowledged event is in raw.events once, whatever was killed. The same check detects a collector that answers too
early.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from ingestion.home import Home
from ingestion.warehouse import build_lock, connect
from tests.support.home import COMMAND, ROOT

KEY, ORIGIN = "pk_crash", "https://shop.example"
SETTINGS = f"""
orgs: [{{id: default, currency: USD, timezone: UTC}}]
sites: [{{id: shop, org: default, public_key: {KEY}, domains: [shop.example], events_per_minute: 100000000}}]
"""
LOADER = """
from ingestion.home import Home
from ingestion.warehouse import build_lock, connect
from ingestion.segments.loading import load_landing
from ingestion.settings.load import load_settings
home = Home.from_environment()
while True:
    with build_lock(home, "test"), connect(home) as connection:
        load_landing(connection, home, load_settings(home))
"""
# Answers and writes hours later: what no collector may do.
LIAR = """
import asyncio, sys
from ingestion.segments import writer as landing
honest = landing.Landing.append
waiting = set()
async def append(self, line):
    task = asyncio.get_running_loop().create_task(later(self, line))
    waiting.add(task)
async def later(self, line):
    await asyncio.sleep(3600)
    await honest(self, line)
landing.Landing.append = append
from cli.__main__ import main
main()
"""


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path))
    home = Home.from_environment()
    home.settings.write_text(SETTINGS)
    return home


class Clients:
    """Several clients that send batches and repeat one, same ids, until it is acknowledged."""

    def __init__(self, port: int, count: int = 4) -> None:
        self.url = f"http://127.0.0.1:{port}/api/track"
        self.acknowledged: set[str] = set()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._send, args=(number,)) for number in range(count)]

    def _send(self, number: int) -> None:
        dice = random.Random(number)
        with httpx.Client(headers={"Origin": ORIGIN}, timeout=5) as http:
            while not self.stopping.is_set():
                ids = [uuid.UUID(int=dice.getrandbits(128)).hex for _ in range(dice.choice([1, 3, 100]))]
                events = [
                    {
                        "eventId": id_,
                        "type": "PAGE_VIEW",
                        "url": f"{ORIGIN}/{id_}",
                        "anonId": f"v{number}",
                        "sessionId": "s",
                    }
                    for id_ in ids
                ]
                while not self._is_acknowledged(http, events):
                    if self.stopping.is_set():
                        return
                    time.sleep(0.02)
                self.acknowledged.update(ids)

    def _is_acknowledged(self, http: httpx.Client, events: list[dict]) -> bool:
        try:
            return http.post(self.url, json={"publicKey": KEY, "events": events}).status_code == 202
        except httpx.HTTPError:
            return False

    @contextmanager
    def sending(self) -> Iterator[None]:
        for thread in self.threads:
            thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            for thread in self.threads:
                thread.join()


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def start(home: Home, *command: object) -> subprocess.Popen:
    environment = {**os.environ, "TRIBUTARY_HOME": str(home.root), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [*map(str, command)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=home.root
    )


def kill(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def collect(home: Home, port: int, program: tuple = (COMMAND,)) -> Callable[[], subprocess.Popen]:
    return lambda: start(home, *program, "collect", "--port", port)


def loaded(home: Home) -> Counter[str]:
    """Load all that has landed; event ids in raw.events and how often."""
    from ingestion.segments.loading import load_landing
    from ingestion.settings.load import load_settings

    with build_lock(home, "test"), connect(home) as connection:
        load_landing(connection, home, load_settings(home))
        return Counter(id_ for (id_,) in connection.execute("select event_id from raw.events").fetchall())


def stopped(collector: subprocess.Popen) -> None:
    collector.terminate()
    assert collector.wait(20) == 0


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=1).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    pytest.fail("the collector did not get ready")


def test_nothing_acknowledged_is_lost_or_counted_twice(home):
    port, dice = free_port(), random.Random(5)
    new_collector, new_loader = collect(home, port), lambda: start(home, sys.executable, "-c", LOADER)
    collector, loader, clients = new_collector(), new_loader(), Clients(port)
    wait_for(port)
    killed: Counter[str] = Counter()
    try:
        with clients.sending():
            for _ in range(24):
                time.sleep(dice.uniform(0.2, 1.6))
                victim = dice.choice(["collector", "loader", "both"])
                killed[victim] += 1
                if victim != "loader":
                    kill(collector)
                if victim != "collector":
                    kill(loader)
                collector = collector if victim == "loader" else new_collector()
                loader = loader if victim == "collector" else new_loader()
            wait_for(port)
            time.sleep(0.5)
        stopped(collector)
    finally:
        kill(loader)
        kill(collector)
    found = loaded(home)
    assert set(killed) == {"collector", "loader", "both"}
    assert len(clients.acknowledged) > 1000, "the clients got little through: the test shows nothing"
    assert clients.acknowledged - set(found) == set()
    assert [id_ for id_, count in found.items() if count > 1] == []
    assert list(home.landing.iterdir()) == []
    with build_lock(home, "test"), connect(home) as connection:
        (events, loaded_rows, received, accounted) = connection.execute(
            """
            select (select count(*) from raw.events), sum(loaded_rows), sum(received_rows),
                sum(loaded_rows + duplicate_rows + failed_rows + limited_rows)
            from raw.loads
            """
        ).fetchone()
    assert (events, received) == (loaded_rows, accounted)


def test_the_check_detects_a_collector_that_answers_too_early(home):
    port = free_port()
    new_collector = collect(home, port, (sys.executable, "-c", LIAR))
    collector, clients = new_collector(), Clients(port)
    wait_for(port)
    try:
        with clients.sending():
            while not clients.acknowledged:
                time.sleep(0.01)
    finally:
        kill(collector)
    assert clients.acknowledged - set(loaded(home)), "events that were answered for and never written were not missed"


def test_the_check_detects_an_event_that_is_loaded_twice(home):
    port = free_port()
    collector = collect(home, port)()
    wait_for(port)
    body = {"publicKey": KEY, "eventId": "once", "type": "PAGE_VIEW", "url": f"{ORIGIN}/", "anonId": "v"}
    try:
        for _ in range(3):
            answer = httpx.post(f"http://127.0.0.1:{port}/api/track", json=body, headers={"Origin": ORIGIN})
            assert answer.status_code == 202
    finally:
        stopped(collector)
    segments = [(path.name, path.read_bytes()) for path in home.landing.iterdir()]
    assert loaded(home) == {"once": 1}
    for name, content in segments:  # a copy under another name, as if a backup had been restored
        (home.landing / f"2000{name[4:]}").write_bytes(content)
    assert loaded(home) == {"once": 1}
    with build_lock(home, "test"), connect(home) as connection:
        connection.execute("insert into raw.events from raw.events")
    assert loaded(home) == {"once": 2}
