"""Run the real collector in tests: the command, on a free port, in a separate home folder."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from ingestion.home import Home
from ingestion.segments.format import is_whole
from ingestion.segments.writer import closed_segments
from tests.support.home import COMMAND


@dataclass(frozen=True)
class Running:
    """A collector at work."""

    home: Home
    url: str
    process: subprocess.Popen

    def stop(self) -> None:
        """End it as a service manager does."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0


@contextmanager
def collecting(
    root: Path, settings: str, *options: object, command: Path = COMMAND, **environment: str
) -> Iterator[Running]:
    """A collector in the folder `root` with this tributary.yaml, options and variables, from when it is ready."""
    root.mkdir(exist_ok=True)
    (root / "tributary.yaml").write_text(settings)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {**os.environ, **environment, "TRIBUTARY_HOME": str(root)}
    process = subprocess.Popen([command, "collect", "--port", str(port), *map(str, options)], env=variables)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while not is_ready(url):
            assert process.poll() is None, "the collector did not start"
            assert time.monotonic() < deadline, "the collector was not ready within a minute"
            time.sleep(0.05)
        yield Running(Home(root), url, process)
    finally:
        process.kill()
        process.wait()


def is_ready(url: str) -> bool:
    """Return whether the collector at this address accepts events."""
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def receipts(home: Home) -> list[dict]:
    """Every receipt that has landed in closed segments."""
    found = []
    for segment in closed_segments(home.landing):
        for line in segment.read_bytes().splitlines(keepends=True):
            assert is_whole(line)
            found.append(json.loads(line))
    return found
