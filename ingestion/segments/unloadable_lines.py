"""Find the lines of a segment that DuckDB cannot load, so that one request blocks no other.

In: a segment that fails to load, and the function that loads it. Out: its bad lines; the warehouse stays as it is.

The search halves the segment again and again, so that it needs no more memory than the failed load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from ingestion.segments.format import Receipt, as_line, timestamp
from ingestion.segments.load_receipts import BadLine
from ingestion.sql import Connection, transaction

_DETAIL = "the raw tables cannot hold a value of this line ({error}). Correct the sender, and send its events again"


def find_unloadable(
    connection: Connection, segment: Path, store: Callable[[Path], object], temporary: Path
) -> dict[int, BadLine]:
    """Return the lines that cannot be loaded, by their number from 0; none if not even an ordinary line can.

    store: loads a file, in the transaction of its caller.
    """
    with segment.open("rb") as file:
        lines = file.readlines()
    with TemporaryDirectory(dir=temporary) as folder:
        copy = Path(folder) / segment.name

        def error_in(some: list[bytes]) -> str | None:
            copy.write_bytes(b"".join(some))
            try:
                with transaction(connection):
                    store(copy)
                    raise _Undo
            except _Undo:
                return None
            except duckdb.Error as error:
                return type(error).__name__

        def search(start: int, end: int) -> Iterator[tuple[int, BadLine]]:
            error = error_in(lines[start:end])
            if error and end - start == 1:
                text = lines[start].decode("utf-8", "replace")
                yield start, BadLine("unloadable_line", _DETAIL.format(error=error), text)
            elif error:
                middle = (start + end) // 2
                yield from search(start, middle)
                yield from search(middle, end)

        # If an ordinary line fails as well, such as on a full disk, the lines of the segment are not at fault.
        found = dict(search(0, len(lines))) if not error_in([_ordinary_line()]) else {}
        return found if not error_in([_ordinary_line()]) else {}


class _Undo(Exception):
    """Roll back a load that was only a trial."""


def _ordinary_line() -> bytes:
    row = {"event_id": "ordinary", "type": "PAGE_VIEW", "anon_id": "ordinary"}
    return as_line(
        Receipt("events", timestamp(datetime.now(UTC)), org="default", site="default", received=1, rows=[row])
    )
