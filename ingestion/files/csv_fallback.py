"""A text file -> its lines and CSV records, each with the line it starts on, however broken the file is.

In: a path. Out: (line, text, fields), where `fields` is the reason code instead if no fields could be read.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import NamedTuple

from ingestion.files.contracts import ContractError

Record = tuple[int, str, "list[str] | str"]

RECORD_LIMIT = 1_000_000  # characters of one record, so that an unclosed quote does not take the file with it
EXPLAINED = {
    "bad_quoting": 'a quoted field is not closed, or text follows its closing quote: write " inside a field as ""',
    "bad_encoding": "the line is not UTF-8: convert the file to UTF-8",
    "too_long": f"the line has more than {RECORD_LIMIT:,} characters",
}


class Layout(NamedTuple):
    kind: str  # csv, ndjson, parquet
    is_gzip: bool = False
    separator: str = ","


def layout_of(path: Path) -> Layout:
    """What a file is, by its content, since names lie; by its name where the content does not tell."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
        is_gzip = start[:2] == b"\x1f\x8b"
        with gzip.open(path) if is_gzip else path.open("rb") as file:
            start = file.read(4096)
    except (OSError, EOFError, zlib.error) as error:
        raise ContractError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if start[:4] == b"PAR1":
        return Layout("parquet", is_gzip)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    name = path.name.lower().removesuffix(".gz")
    if b"\0" in start or start[:2] in (b"\xff\xfe", b"\xfe\xff", b"PK"):
        raise ContractError(f"{path}: neither UTF-8 text nor Parquet: export it as CSV (UTF-8), NDJSON or Parquet")
    if text[:1] == b"[":
        raise ContractError(f"{path}: a JSON array: write one object a line instead (jq -c '.[]' does it)")
    if text[:1] == b"{" or name.endswith((".ndjson", ".jsonl", ".json")):  # its first line may be the torn one
        return Layout("ndjson", is_gzip)
    return Layout("csv", is_gzip, "\t" if name.endswith((".tsv", ".tab")) else ",")


@contextmanager
def text_lines(path: Path, layout: Layout) -> Iterator[Iterator[tuple[int, str]]]:
    """The numbered lines of a file, line ends kept; bytes that are not UTF-8 become lone surrogates (see `decoded`)."""
    with gzip.open(path) if layout.is_gzip else path.open("rb") as binary:
        # NDJSON ends a line by \n alone: a lone \r is white space there.
        newline = "\n" if layout.kind == "ndjson" else ""
        file = TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline=newline)
        try:
            yield enumerate(file, 1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ContractError(f"{path}: the gzip file is damaged or cut short: {error}") from None


@contextmanager
def records(path: Path, layout: Layout) -> Iterator[Iterator[Record]]:
    """The CSV records of a file. A broken one costs its first line only: reading goes on at the next."""
    with text_lines(path, layout) as numbered:
        yield _records(numbered, layout.separator)


def decoded(text: str) -> list[str] | str:
    """The line as a record of one field, or why it cannot be one."""
    if len(text) > RECORD_LIMIT:
        return "too_long"
    try:
        if not text.isascii():
            text.encode()
    except UnicodeEncodeError:
        return "bad_encoding"
    return [text]


def readable(text: str) -> str:
    """The text with what is not UTF-8 replaced, and cut to what a person would read."""
    return text[:10_000].rstrip("\r\n").encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _records(numbered: Iterator[tuple[int, str]], separator: str) -> Iterator[Record]:
    csv.field_size_limit(RECORD_LIMIT)
    again: deque[tuple[int, str]] = deque()  # lines taken into a record that turned out to be broken
    while True:
        taken = [again.popleft() if again else next(numbered, (0, ""))]
        line, text = taken[0]
        if not line:
            return
        if '"' not in text:  # most lines: nothing to parse
            plain = text.rstrip("\r\n")
            problem = decoded(plain)
            yield line, plain, problem if isinstance(problem, str) else plain.split(separator) if plain else []
            continue
        is_open, size = text.count('"') % 2, len(text)
        while is_open and size <= RECORD_LIMIT:
            following = again.popleft() if again else next(numbered, None)
            if following is None:
                break
            taken.append(following)
            is_open ^= following[1].count('"') % 2
            size += len(following[1])
        fields, used = _parsed([part for _, part in taken], separator)
        again.extendleft(reversed(taken[used:]))
        yield line, "".join(part for _, part in taken[:used]), fields


def _parsed(taken: list[str], separator: str) -> tuple[list[str] | str, int]:
    """The fields of the first record in these lines, or a reason code; and how many of the lines it used."""
    if len(taken[0]) > RECORD_LIMIT:
        return "too_long", 1
    reader = csv.reader(iter(taken), delimiter=separator, strict=True, skipinitialspace=True)
    try:
        fields = next(reader)
    except csv.Error:
        return "bad_quoting", 1
    text = "".join(taken[: reader.line_num])
    problem = decoded(text)
    return (problem if isinstance(problem, str) else fields), reader.line_num
