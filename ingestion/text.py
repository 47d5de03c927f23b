"""Make text from visitors and files safe to print, and print counts.

In: any text. Out: the same text with control characters written as escapes, such as \\x1b; a count with its noun.
"""

from __future__ import annotations

import re

# C0 and C1 control characters except \n and \t; line and paragraph separators; marks that reverse the reading order;
# lone surrogates, which stand for bytes that are not UTF-8.
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def printable(text: str) -> str:
    """Return the text without characters that control a terminal or reorder its line: each becomes its escape."""
    return _UNSAFE.sub(_escape, text) if _UNSAFE.search(text) else text


def counted(count: int, noun: str) -> str:
    """Return the count with its noun: 1 row, 1,204 rows. noun: a singular that takes an s."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: the byte itself
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
