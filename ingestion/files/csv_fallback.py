"""Read the CSV records of a malformed file line by line, so that a broken record costs only itself.

In: an open file, plain or gzipped. Out: numbered lines, and records (line, text, fields), in which `fields` is a reason
code if the text has none.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper

from ingestion.files.contracts import ContractError
from ingestion.files.input_file import InputFile
from ingestion.files.limits import damaged, incomplete

Record = tuple[int, str, "list[str] | str"]

RECORD_LIMIT = 1_000_000  # characters of one record, so that an unclosed quote does not swallow the rest of the file
EXPLAINED = {
    "bad_quoting": 'a quoted field is not closed, or text follows its closing quote: write " inside a field as ""',
    "bad_encoding": "the line is not UTF-8: convert the file to UTF-8",
    "too_long": f"the line has more than {RECORD_LIMIT:,} characters",
}


@contextmanager
def text_lines(file: InputFile, *, is_gzip: bool, newline: str, lines: int) -> Iterator[Iterator[tuple[int, str]]]:
    """Yield the numbered lines of a file with their line ends. newline: as in open().

    lines: their number as limits.py counted them; ContractError if the file ends at another one.
    Bytes that are not UTF-8 become lone surrogates, which `decoded` finds.
    """
    with file.open() as raw, gzip.open(raw) if is_gzip else raw as binary:
        text = TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline=newline)
        try:
            yield _counted(file, text, lines)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ContractError(damaged(file, error)) from None


def _counted(file: InputFile, text: Iterable[str], lines: int) -> Iterator[tuple[int, str]]:
    read = 0
    for read, line in enumerate(text, 1):
        yield read, line
    if read != lines:
        raise ContractError(incomplete(file, lines, read, "lines"))


@contextmanager
def records(file: InputFile, *, is_gzip: bool, separator: str, lines: int) -> Iterator[Iterator[Record]]:
    """Yield the CSV records of a file. lines: as in text_lines."""
    with text_lines(file, is_gzip=is_gzip, newline="", lines=lines) as numbered:
        yield csv_records(numbered, separator)


def decoded(text: str) -> list[str] | str:
    """Return the line as a record of one field, or the reason code why it is none."""
    if len(text) > RECORD_LIMIT:
        return "too_long"
    try:
        if not text.isascii():
            text.encode()
    except UnicodeEncodeError:
        return "bad_encoding"
    return [text]


def readable(text: str) -> str:
    """Return the text for a person: at most 10,000 characters, bytes that are not UTF-8 replaced."""
    return text[:10_000].rstrip("\r\n").encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def csv_records(numbered: Iterator[tuple[int, str]], separator: str) -> Iterator[Record]:
    """Yield the CSV records of numbered lines. After a broken record, reading continues at the next line."""
    csv.field_size_limit(RECORD_LIMIT)
    pushed_back: deque[tuple[int, str]] = deque()  # lines of a record that turned out to be broken
    while True:
        taken = [pushed_back.popleft() if pushed_back else next(numbered, (0, ""))]
        line, text = taken[0]
        if not line:
            return
        if '"' not in text:  # most lines need no parser
            plain = text.rstrip("\r\n")
            problem = decoded(plain)
            yield line, plain, problem if isinstance(problem, str) else plain.split(separator) if plain else []
            continue
        is_open, size = text.count('"') % 2, len(text)
        while is_open and size <= RECORD_LIMIT:
            following = pushed_back.popleft() if pushed_back else next(numbered, None)
            if following is None:
                break
            taken.append(following)
            is_open ^= following[1].count('"') % 2
            size += len(following[1])
        fields, used = _parsed([part for _, part in taken], separator)
        pushed_back.extendleft(reversed(taken[used:]))
        yield line, "".join(part for _, part in taken[:used]), fields


def _parsed(taken: list[str], separator: str) -> tuple[list[str] | str, int]:
    """Return the fields of the first record in these lines, or a reason code, and the number of lines it used."""
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
