"""Make text from visitors and files safe to print, print counts, and guess which name a typo means.

In: any text. Out: the same text with control characters written as escapes, such as \\x1b; a count with its noun; the
nearest name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from zoneinfo import available_timezones

# C0 and C1 control characters except \n and \t; line and paragraph separators; marks that reverse the reading order;
# lone surrogates, which stand for bytes that are not UTF-8.
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def printable(text: str) -> str:
    """Return the text without characters that control a terminal or reorder its line: each becomes its escape."""
    return _UNSAFE.sub(_escape, text) if _UNSAFE.search(text) else text


def counted(count: int, noun: str) -> str:
    """Return the count with its noun: 1 row, 1,204 rows. noun: a singular that takes an s."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def nearest(name: str, known: Iterable[object]) -> str | None:
    """Return the known name that is most like this one without regard to case; None if none is.

    A name is also alike if it contains the other or swaps its letters, as `mate` and `meta` do.
    """
    names = {str(each).lower(): str(each) for each in known}
    wanted = name.lower()
    close = get_close_matches(wanted, names, 1) or [
        each
        for each in names
        if sorted(each) == sorted(wanted) or (min(len(each), len(wanted)) > 1 and (each in wanted or wanted in each))
    ]
    return names[close[0]] if close else None


def suggestion(name: str, known: Iterable[object]) -> str:
    """Return a sentence with the nearest known name, or with all of them. known: at least one."""
    names = [str(each) for each in known]
    close = nearest(name, names)
    return f"Do you mean {close}?" if close else f"Use one of {', '.join(names)}."


def zone_advice(name: str) -> str:
    """Return a sentence with the IANA time zone that is most like this name, or with an example."""
    close = nearest(name, sorted(available_timezones()))
    return f"Do you mean {close}?" if close else "Use one such as Europe/Berlin."


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: the byte itself
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
