"""Write durable append-only segments, the collector's output, and find those that are ready to load.

In: whole lines (format.py) from any number of requests. Out: files in the landing folder. `append` returns to its
caller once the line is on disk.

A segment is `<time>-<process>-<random>.open` while its writer locks it, and `.ndjson` once it is closed; then it never
changes again. The lock dies with its writer, so that anybody may close a segment that is neither closed nor locked.
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
MAX_BUFFERED = 64_000_000  # bytes that wait to be written: beyond, the collector rejects requests to save memory

_sync = getattr(os, "fdatasync", os.fsync)
_log = logging.getLogger("tributary.landing")


class LandingUnavailable(Exception):
    """The line is not durable and must not be acknowledged."""


@dataclass
class _Segment:
    path: Path
    fd: int
    deadline: float  # of the monotonic clock
    size: int = 0  # bytes that are durable


class Landing:
    """The writer of one process and event loop. Any number of tasks may append."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int = MAX_BYTES,
        max_age: float = MAX_AGE,
        observe_sync: Callable[[float, int], None] = lambda seconds, size: None,
    ) -> None:
        """max_age: seconds. observe_sync: called with the seconds and the bytes of each write and sync."""
        self.buffered_bytes = self.buffered_lines = 0  # only the loop's thread changes them
        self._folder, self._max_bytes, self._max_age, self._observe = folder, max_bytes, max_age, observe_sync
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[tuple[bytes | None, asyncio.Future[None] | None]] = SimpleQueue()
        self._segment: _Segment | None = None
        self._last_opened = 0  # milliseconds since 1970
        self._is_closed = False
        self._thread = threading.Thread(target=self._write_until_closed, name="landing", daemon=True)
        self._thread.start()

    async def append(self, line: bytes) -> None:
        """Return once the line is on disk, or raise LandingUnavailable."""
        written = self._loop.create_future()
        self._put(line, written)
        await written

    def append_soon(self, line: bytes) -> None:
        """Append a line without waiting; it may be lost."""
        self._put(line, None)

    async def flush(self) -> None:
        """Close the segment, so that it can be loaded."""
        if not self._is_closed:
            closed = self._loop.create_future()
            self._queue.put((None, closed))
            await closed

    async def close(self) -> None:
        """Write the appended lines, close the segment, end the writer. Nothing can be appended afterwards."""
        if not self._is_closed:
            self._is_closed = True
            self._queue.put((None, None))
            await asyncio.to_thread(self._thread.join)

    @property
    def segment_age(self) -> float:
        """Return the seconds since the segment was opened, 0 without one."""
        segment = self._segment
        return time.monotonic() - (segment.deadline - self._max_age) if segment else 0.0

    def _put(self, line: bytes, written: asyncio.Future[None] | None) -> None:
        if self._is_closed:
            raise LandingUnavailable("the collector is stopping")
        if self.buffered_bytes > MAX_BUFFERED:
            raise LandingUnavailable("the disk cannot keep up")
        self.buffered_bytes += len(line)
        self.buffered_lines += 1
        self._queue.put((line, written))

    # The methods below run in the writer's thread.

    def _write_until_closed(self) -> None:
        while True:
            try:
                left = max(0.0, self._segment.deadline - time.monotonic()) if self._segment else None
                group = [self._queue.get(timeout=left)]
                while not self._queue.empty():
                    group.append(self._queue.get_nowait())
            except Empty:
                group = []
            lines = [line for line, _ in group if line is not None]
            error = self._write(lines) if lines else None
            is_requested = any(line is None for line, _ in group)
            segment = self._segment
            if segment and (is_requested or segment.size >= self._max_bytes or time.monotonic() >= segment.deadline):
                self._close_segment(segment)
            if group:
                futures = [future for _, future in group if future]
                self._loop.call_soon_threadsafe(self._settle, futures, len(lines), sum(map(len, lines)), error)
            if (None, None) in group:
                return

    def _settle(self, futures: list[asyncio.Future[None]], lines: int, size: int, error: str | None) -> None:
        self.buffered_lines -= lines
        self.buffered_bytes -= size
        for future in futures:
            if not future.done():
                future.set_exception(LandingUnavailable(error)) if error else future.set_result(None)

    def _write(self, lines: list[bytes]) -> str | None:
        """Write and sync the lines of all requests that arrived together. Returns why none is durable, or None."""
        data, started = memoryview(b"".join(lines)), time.perf_counter()
        size = len(data)
        try:
            segment = self._segment = self._segment or self._open()
            try:
                while data:
                    data = data[os.write(segment.fd, data) :]
            except OSError:
                segment.deadline = 0.0  # the file may have reached the longest size
                self._cut(segment)
                raise
            try:
                _sync(segment.fd)
            except OSError:
                # The kernel may have dropped the pages. A second sync would succeed without them.
                self._cut(segment)
                self._abandon(segment)
                raise
        except OSError as error:
            _log.error("cannot write to the landing folder: %s", os.strerror(error.errno or 0))
            return os.strerror(error.errno or 0)
        segment.size += size
        self._observe(time.perf_counter() - started, size)
        return None

    def _open(self) -> _Segment:
        while True:
            # Names sort in the order of writing, even where the clock jumps back.
            self._last_opened = max(int(time.time() * 1000), self._last_opened + 1)
            moment = (
                f"{datetime.fromtimestamp(self._last_opened // 1000, UTC):%Y%m%dT%H%M%S}{self._last_opened % 1000:03}Z"
            )
            path = self._folder / f"{moment}-{os.getpid()}-{secrets.token_hex(4)}.open"
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(fd).st_nlink:  # else another process adopted the file between the two calls
                    _sync_folder(self._folder)
                    return _Segment(path, fd, time.monotonic() + self._max_age)
            except BlockingIOError:
                pass
            except OSError:
                os.close(fd)
                raise
            os.close(fd)

    def _cut(self, segment: _Segment) -> None:
        """Cut off the bytes that are not durable."""
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
        except OSError as error:  # closed_segments() finds it later, unlocked
            _log.error("cannot close segment %s: %s", segment.path.name, os.strerror(error.errno or 0))
        self._abandon(segment)


def closed_segments(folder: Path) -> list[Path]:
    """Return the segments that no longer change, in order of time, those of writers that died included."""
    for path in folder.glob("*.open"):
        _adopt(path)
    return sorted(folder.glob("*.ndjson"))


def open_segments(folder: Path) -> list[Path]:
    """Return the segments that are being written."""
    return sorted(folder.glob("*.open"))


def _adopt(path: Path) -> None:
    """Close the segment of a dead writer, without its last line if that is cut off: it was never acknowledged."""
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
        pass  # another process writes it, or has just closed it
    finally:
        os.close(fd)


def _finish(path: Path, size: int) -> None:
    """Give a synced segment its final name, or delete it if it is empty."""
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
