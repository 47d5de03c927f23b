"""Decide the encoding of a text file by its bytes, and convert other encodings to UTF-8.

In: the content of a file. Out: its content in UTF-8, or a ContractError that names the encoding.

A byte order mark, zero bytes and valid UTF-8 decide. Lines that are not UTF-8 are Windows-1252 only if no line has
valid UTF-8 beyond ASCII, and if the characters stand where Western languages have them. Otherwise the lines are damaged
UTF-8, and each of them fails (`bad_encoding`); a file with many of them is refused.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from charset_normalizer import from_bytes

from ingestion.files.container import Content
from ingestion.files.contracts import ContractError
from ingestion.files.input_file import spooled
from ingestion.files.limits import content, content_of_lines, first_bytes

_START = 4096  # bytes
_UTF16 = 0.1  # share of zero bytes in ASCII separators, digits and line ends
_IMPLAUSIBLE = 0.1  # share of the characters beyond ASCII
_MOST = 250_000  # bytes of lines that are not UTF-8
_MANY = 3  # such lines
# The common encodings of spreadsheets and databases. The detector knows rarer ones, and takes short texts for them.
_OTHERS = {
    "cp1250": "Windows-1250 (Central European)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp1257": "Windows-1257 (Baltic)",
    "koi8_r": "KOI8-R (Russian)",
    "mac_roman": "Mac Roman",
    "cp437": "DOS (CP437)",
    "cp850": "DOS (CP850)",
    "cp932": "Shift-JIS (Japanese)",
    "cp949": "EUC-KR (Korean)",
    "gb18030": "GB 18030 (Chinese)",
    "big5": "Big5 (Chinese)",
}
_UPPER = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŠŒŽŸ"
_HIGH_LETTER = f"[{_UPPER}{_UPPER.lower()}ß]"
# Other encodings, read as Windows-1252, have such characters within words.
_FOREIGN = re.compile(
    rf"(?<=[a-zß-öø-ÿ])[{_UPPER}]|(?<![^\W\d_])[ÿß]|[£¥¤€](?=[a-zß-öø-ÿ])"
    rf"|(?<=[^\W\d_])[¢£¤¥¦§¨¬¯±²³¶¹º¼½¾÷ƒ„†‡ˆ‰‹˜›](?=[^\W\d_])|{_HIGH_LETTER}{{3,}}"  # noqa: RUF001
)


class _Lines(NamedTuple):
    """The lines of a file beyond ASCII."""

    has_utf8: bool
    others: list[bytes]


def utf16_decoded(found: Content, folder: Path | None) -> Content:
    """Return the content, converted to UTF-8 if it is UTF-16. ContractError if it is no text at all."""
    start = first_bytes(found.file, _START, is_gzip=found.is_gzip)
    if start.startswith(codecs.BOM_UTF16_LE):
        return _converted(found, "utf-16-le", folder)
    if start.startswith(codecs.BOM_UTF16_BE):
        return _converted(found, "utf-16-be", folder)
    high, low = start[::2].count(0), start[1::2].count(0)
    if not high and not low:
        return found
    if (high and low) or max(high, low) < len(start) // 2 * _UTF16:
        raise ContractError(
            f"{found.file.label}: neither text nor a spreadsheet nor Parquet. Export it as CSV (UTF-8), NDJSON or"
            " Parquet."
        )
    return _converted(found, "utf-16-be" if high else "utf-16-le", folder)


def windows_decoded(found: Content, folder: Path | None) -> Content:
    """Return the content, converted to UTF-8 if it is Windows-1252. ContractError if it is a third encoding."""
    lines = _lines_beyond_ascii(found)
    if lines.has_utf8 or not lines.others:
        return found
    sample = b"".join(lines.others)
    if _is_windows(sample):
        return _converted(found, "cp1252", folder)
    best = from_bytes(sample, cp_isolation=list(_OTHERS)).best() if len(lines.others) >= _MANY else None
    if best:
        raise ContractError(
            f"{found.file.label}: its text is neither UTF-8, UTF-16 nor Windows-1252. It may be"
            f" {_OTHERS.get(best.encoding, best.encoding)}. Save it as CSV (UTF-8)."
        )
    return found


def _is_windows(sample: bytes) -> bool:
    try:
        text = sample.decode("cp1252")
    except UnicodeDecodeError:
        return False
    foreign = sum(len(run) for run in _FOREIGN.findall(text))
    return foreign <= _IMPLAUSIBLE * sum(not character.isascii() for character in text)


def _lines_beyond_ascii(found: Content) -> _Lines:
    """Return the lines that are not UTF-8, up to a size; none once a line is UTF-8 beyond ASCII."""
    others: list[bytes] = []
    size = 0
    rest = b""
    for piece in chain(content_of_lines(found.file, is_gzip=found.is_gzip), [b"\n"]):
        end = max(piece.rfind(b"\n"), piece.rfind(b"\r")) + 1
        if not end:
            rest += piece
            continue
        whole, rest = rest + piece[:end], piece[end:]
        for line in [] if whole.isascii() else whole.splitlines():
            if line.isascii():
                continue
            try:
                line.decode()
            except UnicodeDecodeError:
                others += [line] * (size < _MOST)
                size += len(line)
            else:
                return _Lines(has_utf8=True, others=[])
    return _Lines(has_utf8=False, others=others)


def _converted(found: Content, encoding: str, folder: Path | None) -> Content:
    try:
        return found._replace(file=spooled(found.file, _as_utf8(found, encoding), folder), is_gzip=False)
    except UnicodeDecodeError:
        raise ContractError(
            f"{found.file.label}: its text is {encoding.upper()}, but the file is damaged or cut short. Export it"
            " again."
        ) from None


def _as_utf8(found: Content, encoding: str) -> Iterator[bytes]:
    # Half of a UTF-16 pair becomes bytes that are not UTF-8, so that only its line fails.
    errors = "strict" if encoding == "cp1252" else "surrogatepass"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    is_start = True
    for piece in content(found.file, is_gzip=found.is_gzip):
        text = decoder.decode(piece)
        yield (text.removeprefix("\ufeff") if is_start else text).encode("utf-8", "surrogatepass")
        is_start = False
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
