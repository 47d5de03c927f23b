"""Compression of events in Dagster's run history.

In: events as JSON. Out: the same JSON through SQLAlchemy, a tenth of its size in the database.

Most of an event is names of fields, which are the same in every event. zlib finds them in event_dictionary.txt. Stored
events depend on that file: it must never change.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from sqlalchemy import Dialect, LargeBinary, TypeDecorator

DICTIONARY = Path(__file__).with_name("event_dictionary.txt").read_bytes()


class CompressedText(TypeDecorator[str]):
    """Text that is compressed when it is written. Text that an earlier version wrote is read as it is."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Return the compressed text."""
        if value is None:
            return None
        compressor = zlib.compressobj(zdict=DICTIONARY)
        return compressor.compress(value.encode()) + compressor.flush()

    def process_result_value(self, value: str | bytes | None, dialect: Dialect) -> str | None:
        """Return the text."""
        if not isinstance(value, bytes):
            return value
        return zlib.decompressobj(zdict=DICTIONARY).decompress(value).decode()


def compress_events() -> None:
    """Compress events that Dagster's storages write from now on in this process."""
    SqlEventLogStorageTable.c.event.type = CompressedText()
    AssetCheckExecutionsTable.c.evaluation_event.type = CompressedText()
