"""Limit an input file before a parser reads it, and count its records independently of the parser.

In: an open file. Out: its Size, or a ContractError that names the limit.

A parser holds a whole line, and something for each column, in memory that DuckDB's memory limit does not cover. So the
limits apply to the bytes, which are read in pieces.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from ingestion.files.contracts import ContractError
from ingestion.files.input_file import InputFile
from ingestion.sql import Connection, literal, quoted, scalar

MAX_COLUMNS = 500
MAX_LINE = 50_000_000  # bytes of a line; RECORD_LIMIT of csv_fallback.py rejects shorter ones row by row
MAX_EXPANSION = 200  # bytes for each compressed byte, after the first FREE_EXPANSION bytes
FREE_EXPANSION = 100_000_000
MAX_FOOTER = 10_000_000  # bytes of the schema of a Parquet file
FREE_ROWS, MAX_ROWS_PER_BYTE = 10_000_000, 10
_MAX_GZIP_HEADER = 100_000  # compressed bytes before the first content
_PIECE = 1_000_000
_BOM = b"\xef\xbb\xbf"


class Size(NamedTuple):
    """The number of records that are not blank, and of all lines, of a text file."""

    records: int
    lines: int


def measure_csv(file: InputFile, *, is_gzip: bool) -> Size:
    """Count the records of a CSV file, the header included, if its quotes are those of RFC 4180."""
    records = lines = 0
    is_open = has_content = ends_with_return = False
    is_ended = True
    for piece in content_of_lines(file, is_gzip=is_gzip):
        lines += piece.count(b"\n") + piece.count(b"\r") - piece.count(b"\r\n")
        lines -= ends_with_return and piece.startswith(b"\n")
        ends_with_return = piece.endswith(b"\r")
        is_ended = piece.endswith((b"\r", b"\n"))
        parts = piece.split(b'"')
        # Text within quotes becomes one character, so that no line break remains in it.
        outside = b"x".join(parts[is_open::2]).replace(b"\r", b"\n").split(b"\n")
        is_open ^= len(parts) % 2 == 0
        last = outside.pop()
        if outside:
            records += len(outside) - outside.count(b"") + (has_content and not outside[0])
            has_content = False
        has_content = has_content or bool(last) or is_open
    return Size(records + has_content, lines + (not is_ended))


def measure_ndjson(file: InputFile, *, is_gzip: bool) -> Size:
    """Count the lines of an NDJSON file that are not blank."""
    records = lines = 0
    has_content = False
    is_ended = True
    for piece in content_of_lines(file, is_gzip=is_gzip, line_ends=b"\n"):
        *whole, last = piece.split(b"\n")
        lines += len(whole)
        is_ended = not last
        if whole:
            records += sum(1 for line in whole if line.strip()) + (has_content and not whole[0].strip())
            has_content = False
        has_content = has_content or bool(last.strip())
    return Size(records + has_content, lines + (not is_ended))


def measure_parquet(connection: Connection, file: InputFile) -> None:
    """Raise ContractError if a Parquet file expands too much. A repeated value takes no space in it."""
    path = literal(file.duckdb_path)
    with file.open() as stream:
        stream.seek(max(file.size - 8, 0))
        footer, mark = int.from_bytes(stream.read(4), "little"), stream.read(4)
    if mark == b"PAR1" and footer > MAX_FOOTER:
        raise ContractError(f"{file.label}: the schema takes {footer:,} bytes. A file has at most {MAX_FOOTER:,}.")
    rows = scalar(connection, f"select num_rows from parquet_file_metadata({path})")
    if rows > FREE_ROWS and rows > MAX_ROWS_PER_BYTE * file.size:
        raise ContractError(
            f"{file.label}: {rows:,} rows in {file.size:,} bytes. Tributary reads at most {MAX_ROWS_PER_BYTE} rows for"
            " each byte. Are all rows the same?"
        )
    relation = f"read_parquet({path}, binary_as_string = true)"
    described = connection.execute(f"describe select * from {relation}").fetchall()
    check_columns(file.label, len(described))
    texts = [f"sum(strlen({quoted(name)}))" for name, type_, *_ in described if type_ == "VARCHAR"]
    if texts:
        total = sum(filter(None, connection.execute(f"select {', '.join(texts)} from {relation}").fetchone() or ()))
        check_expansion(file, total)


def first_bytes(file: InputFile, most: int, *, is_gzip: bool) -> bytes:
    """Return the first bytes of the file's content."""
    found = b""
    for piece in content(file, is_gzip=is_gzip):
        found += piece
        if len(found) >= most:
            break
    return found[:most]


def check_expansion(file: InputFile, expanded: int) -> None:
    """Raise ContractError if a compressed file expands to too many bytes."""
    if expanded > FREE_EXPANSION and expanded > MAX_EXPANSION * file.size:
        raise ContractError(
            f"{file.label}: {file.size:,} bytes expand to {expanded:,} bytes or more. Tributary reads at most"
            f" {MAX_EXPANSION} times the size. Import the content as an uncompressed CSV file."
        )


def check_columns(label: str, columns: int) -> None:
    """Raise ContractError if a file has too many columns."""
    if columns > MAX_COLUMNS:
        raise ContractError(
            f"{label}: {columns:,} columns. A file has at most {MAX_COLUMNS:,}. Remove those that you do not need."
        )


def content(file: InputFile, *, is_gzip: bool) -> Iterator[bytes]:
    """Yield the file's content in pieces. ContractError if it expands to too many bytes."""
    return _checked(file, _expanded(file)) if is_gzip else _plain(file)


def content_of_lines(file: InputFile, *, is_gzip: bool, line_ends: bytes = b"\r\n") -> Iterator[bytes]:
    """Yield the file's content, without a byte order mark, in pieces. ContractError beyond a limit."""
    line = 0
    is_start = True
    for piece in content(file, is_gzip=is_gzip):
        text = piece.removeprefix(_BOM) if is_start else piece
        is_start = False
        ends = [end for end in line_ends if end in piece]
        first = min((piece.find(end) for end in ends), default=len(piece))
        if line + first > MAX_LINE:
            raise ContractError(f"{file.label}: a line has more than {MAX_LINE:,} bytes. Is it one record a line?")
        line = len(piece) - 1 - max(piece.rfind(end) for end in ends) if ends else line + len(piece)
        if text:
            yield text


def _checked(file: InputFile, pieces: Iterator[bytes]) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        check_expansion(file, total)
        yield piece


def _plain(file: InputFile) -> Iterator[bytes]:
    with file.open() as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _expanded(file: InputFile) -> Iterator[bytes]:
    """Yield the content of a gzip file with one or more members, in pieces."""
    before_content = 0
    has_content = is_complete = False
    inflate = zlib.decompressobj(wbits=31)
    with file.open() as stream:
        waiting = b""
        while compressed := waiting or stream.read(_PIECE // 10):
            if is_complete:
                compressed, inflate, is_complete = compressed.lstrip(b"\0"), zlib.decompressobj(wbits=31), False
                if not compressed:
                    waiting, is_complete = b"", True
                    continue
            try:
                piece = inflate.decompress(compressed, _PIECE)
            except zlib.error as error:
                raise ContractError(damaged(file, error)) from None
            waiting = inflate.unconsumed_tail or inflate.unused_data
            is_complete = inflate.eof
            has_content = has_content or bool(piece)
            before_content += len(compressed) - len(waiting)
            if not has_content and before_content > _MAX_GZIP_HEADER:
                raise ContractError(f"{file.label}: the header of the gzip file is too long. Compress the file again.")
            if piece:
                yield piece
    if not is_complete:
        raise ContractError(damaged(file, "it ends early"))


def incomplete(file: InputFile, counted: int, read: int, unit: str = "records") -> str:
    """Return the message for a file of which the parser read another number of records than were counted."""
    return (
        f"{file.label}: has {counted:,} {unit}, but {read:,} were read. Nothing was loaded."
        " Save the file as CSV (UTF-8) or NDJSON again, with one kind of line end, and import that."
    )


def damaged(file: InputFile, error: object, container: str = "gzip file") -> str:
    """Return the message for a compressed file that cannot be expanded to its end."""
    return f"{file.label}: the {container} is damaged or cut short: {error}. Export it again."
