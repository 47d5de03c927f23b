"""The format of a segment's lines, between the collector and the load. One line is the receipt of one request.

In: a Receipt. Out: one line of JSON. Its last member is the CRC-32 of everything before it. The events of a request
share a line, so that all events of one acknowledgement are whole, or all are damaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zlib import crc32

import msgspec

_MARK = b',"crc":'
_LAST = len(b"4294967295}")
_PIECE = 4096  # bytes


class Failed(msgspec.Struct, omit_defaults=True):
    """One rejected row, stored until a replay accepts it."""

    layer: str  # schema, business, reference, properties
    reason: str  # a code
    detail: str  # a sentence for a person
    payload: str  # the row as JSON, redacted


class Receipt(msgspec.Struct, omit_defaults=True):
    """One request. received = len(rows) + duplicate + len(failed) + limited.

    kind: a kind of files/contracts.py. Its rows are input rows of that contract (text values, decimals, ISO times).
    There are two exceptions. Rows of `events` have the columns of raw.events (micros, no nulls). Rows of `addresses`
    have those of raw.addresses, and do not count as received. site is null where the rows belong to no site.
    """

    kind: str
    at: str  # when it was received, as `timestamp` writes it
    org: str
    site: str | None = None
    ip: str | None = None  # the address's hash
    ua: str | None = None  # the user agent of all rows
    received: int = 0
    duplicate: int = 0
    limited: int = 0
    rows: list[Any] = []
    failed: list[Failed] = []


_encoder = msgspec.json.Encoder()


def as_line(receipt: Receipt, rows: Sequence[bytes] = ()) -> bytes:
    """Return the line, newline included. rows: encoded rows, for a receipt that has none itself."""
    head = _encoder.encode(receipt)[:-1]
    return _with_checksum(b'%b,"rows":[%b]' % (head, b",".join(rows)) if rows else head)


def sealed(payload: bytes) -> bytes:
    """Return a JSON object without newlines as a line with its checksum."""
    return _with_checksum(payload[:-1])


def timestamp(moment: datetime) -> str:
    """Return a moment in UTC as ISO 8601 with microseconds and Z."""
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


def _with_checksum(head: bytes) -> bytes:
    """Return a line of a JSON object without its last brace.

    The checksum is computed in pieces: zlib releases the interpreter for a long text, which stalls the event loop.
    """
    checksum, view = 0, memoryview(head)
    for start in range(0, len(head), _PIECE):
        checksum = crc32(view[start : start + _PIECE], checksum)
    return b"%b%b%d}\n" % (head, _MARK, crc32(b"}", checksum))


def is_whole(line: bytes) -> bool:
    """Return whether a line, newline included, is undamaged."""
    mark = line.find(_MARK, max(0, len(line) - len(_MARK) - _LAST - 1))
    if mark < 0 or not line.endswith(b"}\n"):
        return False
    number = line[mark + len(_MARK) : -2]
    return number.isdigit() and int(number) == crc32(b"}", crc32(line[:mark]))
