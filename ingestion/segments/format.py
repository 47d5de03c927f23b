"""One line of a segment: what the collector answered for, and what came of it. The format between collector and loader.

In: a Receipt. Out: one line of JSON whose last member is the CRC-32 of everything before it, and back again. A line is
one request, so that what was acknowledged together is whole or torn together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

import msgspec

_MARK = b',"crc":'
_LAST = len(b"4294967295}")
_PIECE = 4096  # bytes


class Failed(msgspec.Struct, omit_defaults=True):
    """One refused row, kept until someone mends it."""

    layer: str  # schema, business, reference, properties
    reason: str  # a code to group by
    detail: str  # a sentence for a person
    payload: str  # the row as JSON, without personal data


class Receipt(msgspec.Struct, omit_defaults=True):
    """One request. received = len(rows) + duplicate + len(failed) + limited.

    kind: a kind of files/contracts.py, whose rows are then input rows of that contract (text values, decimals, ISO
    times), but for `events`, whose rows have the columns of raw.events (micros, no nulls), and `addresses`, rows of
    raw.addresses, which count as nothing received. site may be null where no site is meant.
    """

    kind: str
    at: str  # received, ISO 8601 UTC with microseconds and Z
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
    """The line, newline included. rows: those of a receipt without rows, where they are JSON already."""
    payload = _encoder.encode(receipt)
    return sealed(b'%b,"rows":[%b]}' % (payload[:-1], b",".join(rows)) if rows else payload)


def sealed(payload: bytes) -> bytes:
    """A JSON object without newlines as a line with its checksum."""
    return b"%b%b%d}\n" % (payload[:-1], _MARK, _checksum(payload))


def _checksum(payload: bytes) -> int:
    """crc32 in pieces: over a long text zlib lets other threads run, and the collector's loop would wait for them."""
    checksum = 0
    for start in range(0, len(payload), _PIECE):
        checksum = crc32(payload[start : start + _PIECE], checksum)
    return checksum


def is_whole(line: bytes) -> bool:
    """Whether a line, newline included, is what was written."""
    mark = line.find(_MARK, max(0, len(line) - len(_MARK) - _LAST - 1))
    if mark < 0 or not line.endswith(b"}\n"):
        return False
    number = line[mark + len(_MARK) : -2]
    return number.isdigit() and int(number) == crc32(b"}", crc32(line[:mark]))
