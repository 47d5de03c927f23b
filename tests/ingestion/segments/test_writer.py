"""Segments: every acknowledged line is whole in a file, after any fault of the disk or the process."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion.segments import writer as landing
from ingestion.segments.writer import Landing, LandingUnavailable, closed_segments, open_segments


def lines_of(folder: Path) -> list[bytes]:
    return [line for path in closed_segments(folder) for line in path.read_bytes().splitlines()]


def test_every_acknowledged_line_is_in_a_closed_segment_once(tmp_path):
    async def run():
        writer = Landing(tmp_path, max_bytes=2000)
        await asyncio.gather(*(writer.append(b"line %d\n" % n) for n in range(500)))
        assert len(lines_of(tmp_path)) + sum(len(p.read_bytes().splitlines()) for p in open_segments(tmp_path)) == 500
        for n in range(500, 1000):
            await writer.append(b"line %d\n" % n)
        await writer.close()
        with pytest.raises(LandingUnavailable):
            await writer.append(b"too late\n")

    asyncio.run(run())
    assert lines_of(tmp_path) == [b"line %d" % n for n in range(1000)]
    assert len(closed_segments(tmp_path)) > 2  # by size
    assert not open_segments(tmp_path)


def test_an_idle_segment_is_closed_by_its_age(tmp_path):
    async def run():
        writer = Landing(tmp_path, max_age=0.05)
        await writer.append(b"alone\n")
        while not closed_segments(tmp_path):
            await asyncio.sleep(0.01)
        await writer.flush()  # of nothing: makes no empty segment
        await writer.close()

    asyncio.run(asyncio.wait_for(run(), 30))
    assert lines_of(tmp_path) == [b"alone"]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_rejects_lines_removes_the_partial_line_and_recovers(tmp_path, monkeypatch):
    real, is_full = os.write, True

    def write(fd: int, data: memoryview) -> int:
        if not is_full:
            return real(fd, data)
        if len(data) > 3:
            return real(fd, data[:3])  # some of it still fits
        raise OSError(errno.ENOSPC, "full")

    async def run():
        nonlocal is_full
        writer = Landing(tmp_path)
        is_full = False
        await writer.append(b"before\n")
        is_full = True
        monkeypatch.setattr(landing.os, "write", write)
        with pytest.raises(LandingUnavailable, match="No space left"):
            await writer.append(b"refused\n")
        is_full = False
        await writer.append(b"after\n")
        await writer.close()

    asyncio.run(run())
    assert lines_of(tmp_path) == [b"before", b"after"]


def test_after_a_failed_sync_the_file_is_never_used_again(tmp_path, monkeypatch):
    real, fails = landing._sync, False

    def sync(fd: int) -> None:
        if fails:
            raise OSError(errno.EIO, "broken")
        real(fd)

    async def run():
        nonlocal fails
        monkeypatch.setattr(landing, "_sync", sync)
        writer = Landing(tmp_path)
        await writer.append(b"before\n")
        (first,) = open_segments(tmp_path)
        fails = True
        with pytest.raises(LandingUnavailable):
            await writer.append(b"refused\n")
        fails = False
        await writer.append(b"after\n")
        assert first.read_bytes() == b"before\n"
        assert first.with_suffix(".ndjson") in closed_segments(tmp_path)  # nobody holds it any more
        await writer.close()

    asyncio.run(run())
    assert lines_of(tmp_path) == [b"before", b"after"]


def test_an_open_segment_is_untouched_and_an_orphan_is_closed_without_its_partial_line(tmp_path):
    script = (
        "import asyncio, sys, pathlib\n"
        "from ingestion.segments.writer import Landing\n"
        "async def run():\n"
        "    writer = Landing(pathlib.Path(sys.argv[1]))\n"
        "    await writer.append(b'whole\\n')\n"
        "    print('ready', flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(run())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        assert closed_segments(tmp_path) == []
        (path,) = open_segments(tmp_path)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    with path.open("ab") as file:
        file.write(b"torn in the mid")
    (tmp_path / "00000000T000000000Z-1-empty.open").touch()
    assert lines_of(tmp_path) == [b"whole"]
    assert [p.suffix for p in tmp_path.iterdir()] == [".ndjson"]


def test_lines_are_rejected_before_they_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(landing, "MAX_BUFFERED", 1000)

    async def run():
        writer = Landing(tmp_path)
        outcomes = await asyncio.gather(*(writer.append(b"x" * 99 + b"\n") for _ in range(50)), return_exceptions=True)
        await writer.append(b"later\n")
        await writer.close()
        return outcomes

    outcomes = asyncio.run(run())
    refused = sum(isinstance(outcome, LandingUnavailable) for outcome in outcomes)
    assert refused == 39  # eleven fit before the limit was passed
    assert len(lines_of(tmp_path)) == 12
