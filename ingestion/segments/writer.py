"""Durable append-only segments between the collector and the warehouse.

In: whole lines (format.py) from any number of requests. Out: files in the landing folder, and to each
caller the promise that its line is on disk.

A segment is `<time>-<process>-<random>.open`, locked by its writer; closed it is `.ndjson`, and never changes again.
The lock dies with its writer, so that whoever finds a segment neither closed nor locked may close it.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import mmap
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue

MAX_BYTES = 64_000_000
MAX_AGE = 10.0  # seconds
MAX_BUFFERED = 64_000_000  # bytes that wait for the disk: beyond, requests are refused instead of filling the memory

_sync = getattr(os, "fdatasync", os.fsync)
_log = logging.getLogger("tributary.landing")


class LandingUnavailable(Exception):
    """Nothing can be made durable now: the line was not kept and must not be acknowledged."""


@dataclass
class _Segment:
    path: Path
    fd: int
    deadline: float  # of the monotonic clock
    size: int = 0  # bytes that are durable


class Landing:
    """The writer. One a process and event loop; any number of tasks may append."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int = MAX_BYTES,
        max_age: float = MAX_AGE,
        observe_sync: Callable[[float, int], None] = lambda seconds, size: None,
    ) -> None:
        """max_age in seconds; observe_sync is called with the seconds and the bytes of each write and sync."""
        self.buffered_bytes = self.buffered_lines = 0  # touched by the loop's thread only
        self._folder, self._max_bytes, self._max_age, self._observe = folder, max_bytes, max_age, observe_sync
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[tuple[bytes | None, asyncio.Future | None]] = SimpleQueue()
        self._segment: _Segment | None = None
        self._last = 0  # when the last segment was begun, in milliseconds
        self._is_closed = False
        self._thread = threading.Thread(target=self._write_until_closed, name="landing", daemon=True)
        self._thread.start()

    async def append(self, line: bytes) -> None:
        """Return once the line is on disk, or raise LandingUnavailable."""
        await self._put(line, self._loop.create_future())

    def append_soon(self, line: bytes) -> None:
        """Append a line that nobody waits for; it may be lost."""
        self._put(line, None)

    async def flush(self) -> None:
        """Close the segment, so that it can be loaded."""
        if not self._is_closed:
            future = self._loop.create_future()
            self._queue.put((None, future))
            await future

    async def close(self) -> None:
        """Write what was appended, close the segment, end the writer. Nothing can be appended any more."""
        if not self._is_closed:
            self._is_closed = True
            self._queue.put((None, None))
            await asyncio.to_thread(self._thread.join)

    @property
    def segment_age(self) -> float:
        """Seconds since the open segment was begun; 0 without one."""
        segment = self._segment
        return time.monotonic() - (segment.deadline - self._max_age) if segment else 0.0

    def _put(self, line: bytes, future: asyncio.Future | None) -> asyncio.Future | None:
        if self._is_closed:
            raise LandingUnavailable("the collector is stopping")
        if self.buffered_bytes > MAX_BUFFERED:
            raise LandingUnavailable("the disk cannot keep up")
        self.buffered_bytes += len(line)
        self.buffered_lines += 1
        self._queue.put((line, future))
        return future

    # What follows runs in the writer's thread.

    def _write_until_closed(self) -> None:
        while True:
            try:
                left = self._segment and max(0.0, self._segment.deadline - time.monotonic())
                group = [self._queue.get(timeout=left)]
                while not self._queue.empty():
                    group.append(self._queue.get_nowait())
            except Empty:
                group = []
            lines = [line for line, _ in group if line is not None]
            error = self._land(lines) if lines else None
            asked = any(line is None for line, _ in group)
            segment = self._segment
            if segment and (asked or segment.size >= self._max_bytes or time.monotonic() >= segment.deadline):
                self._close_segment(segment)
            if group:
                futures = [future for _, future in group if future]
                self._loop.call_soon_threadsafe(self._settle, futures, len(lines), sum(map(len, lines)), error)
            if (None, None) in group:
                return

    def _settle(self, futures: list[asyncio.Future], lines: int, size: int, error: str | None) -> None:
        self.buffered_lines -= lines
        self.buffered_bytes -= size
        for future in futures:
            if not future.done():
                future.set_exception(LandingUnavailable(error)) if error else future.set_result(None)

    def _land(self, lines: list[bytes]) -> str | None:
        """Write and sync the lines of all requests that arrived together: all are durable, or none is and why."""
        data, started = memoryview(b"".join(lines)), time.perf_counter()
        size = len(data)
        try:
            segment = self._segment = self._segment or self._open()
            try:
                while data:
                    data = data[os.write(segment.fd, data) :]
            except OSError:
                segment.deadline = 0.0  # its file may be as long as it can be
                self._cut(segment)
                raise
            try:
                _sync(segment.fd)
            except OSError:
                # The kernel may have dropped the pages and would call a second sync a success.
                self._cut(segment)
                self._abandon(segment)
                raise
        except OSError as error:
            _log.error("not durable: %s", os.strerror(error.errno or 0))
            return os.strerror(error.errno or 0)
        segment.size += size
        self._observe(time.perf_counter() - started, size)
        return None

    def _open(self) -> _Segment:
        while True:
            # Names sort in the order of writing, even where the clock jumps back.
            self._last = max(int(time.time() * 1000), self._last + 1)
            moment = f"{datetime.fromtimestamp(self._last // 1000, UTC):%Y%m%dT%H%M%S}{self._last % 1000:03}Z"
            path = self._folder / f"{moment}-{os.getpid()}-{secrets.token_hex(4)}.open"
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(fd).st_nlink:  # else somebody took it for left behind, between the two calls
                    _sync_folder(self._folder)
                    return _Segment(path, fd, time.monotonic() + self._max_age)
            except BlockingIOError:
                pass
            except OSError:
                os.close(fd)
                raise
            os.close(fd)

    def _cut(self, segment: _Segment) -> None:
        """Take back what is not durable."""
        try:
            os.ftruncate(segment.fd, segment.size)
        except OSError:
            self._abandon(segment)

    def _abandon(self, segment: _Segment) -> None:
        """Leave the file to closed_segments()."""
        if self._segment:
            self._segment = None
            os.close(segment.fd)

    def _close_segment(self, segment: _Segment) -> None:
        try:
            _finish(segment.path, segment.size)
        except OSError as error:  # it is found later, unlocked
            _log.error("segment %s not closed: %s", segment.path.name, os.strerror(error.errno or 0))
        self._abandon(segment)


def closed_segments(folder: Path) -> list[Path]:
    """The segments that will not change any more, in the order of time, those of writers that died included."""
    for path in folder.glob("*.open"):
        _adopt(path)
    return sorted(folder.glob("*.ndjson"))


def open_segments(folder: Path) -> list[Path]:
    """The segments that are being written."""
    return sorted(folder.glob("*.open"))


def _adopt(path: Path) -> None:
    """Close a segment whose writer died, without its last line if that is torn: nobody was told that it is kept."""
    try:
        fd = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino != os.fstat(fd).st_ino:
            return
        size = os.fstat(fd).st_size
        if size:
            with mmap.mmap(fd, size, prot=mmap.PROT_READ) as content:
                size = content.rfind(b"\n") + 1
            os.ftruncate(fd, size)
            os.fsync(fd)
        _finish(path, size)
    except (BlockingIOError, FileNotFoundError):
        pass  # it is being written, or was closed just now
    finally:
        os.close(fd)


def _finish(path: Path, size: int) -> None:
    """Give a synced segment its final name; an empty one goes."""
    if size:
        path.rename(path.with_suffix(".ndjson"))
    else:
        path.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
