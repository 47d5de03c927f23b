"""Read the objects of a JSON array one at a time, with the lines on which they begin.

In: text with an array of objects, alone or as the only member of an object. Out: (line, text of the object).

ijson yields values without their text and line, and DuckDB without their line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from ingestion.files.contracts import ContractError

OBJECT_LIMIT = 1_000_000  # characters of one object
_SPACE = re.compile(r"\s*")
_MEMBER = re.compile(r'\{\s*"(?:[^"\\]|\\.)*"\s*:\s*(?=\[)')
_WRAPPER = re.compile(_MEMBER.pattern + r"\[\s*\{")


def is_array(text: str) -> bool:
    """Return whether the first text of a file begins a JSON array, or an object whose first member is one.

    A first line that is a whole object is NDJSON, unless the file has no other line and its object no other member.
    """
    if text.startswith("["):
        return True
    if not _WRAPPER.match(text):
        return False
    first, _, rest = text.partition("\n")
    try:
        found = json.loads(first)
    except (ValueError, RecursionError):
        return True  # the object goes on
    return not rest.strip() and len(found) == 1


def array_objects(label: str, texts: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each object. ContractError if the text is another kind of JSON, or none."""
    reader = _Reader(label, texts)
    is_member = reader.next_character() == "{" and reader.skip(_MEMBER)
    reader.expect("[")
    if reader.next_character() == "]":
        reader.expect("]")
    else:
        while True:
            yield reader.take_object()
            if reader.expect(",]") == "]":
                break
    if is_member:
        reader.expect("}")
    if reader.next_character():
        reader.fail("text follows the array")


class _Reader:
    """A position in a text that arrives in pieces."""

    def __init__(self, label: str, texts: Iterable[str]) -> None:
        self._label = label
        self._texts = iter(texts)
        self._decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
        self._text = ""
        self._position = 0
        self._line = 1

    def fail(self, problem: str) -> None:
        raise ContractError(
            f"{self._label}: line {self._line}: {problem}. Tributary reads a JSON array of objects, alone or as the"
            " only member of an object, and NDJSON (one object a line). Export one of them."
        )

    def next_character(self) -> str:
        """Return the next character that is no white space, "" at the end."""
        while True:
            self.skip(_SPACE)
            if self._position < len(self._text):
                return self._text[self._position]
            if not self._read_more():
                return ""

    def skip(self, pattern: re.Pattern[str]) -> bool:
        found = pattern.match(self._text, self._position)
        if found:
            self._move_to(found.end())
        return bool(found)

    def expect(self, characters: str) -> str:
        found = self.next_character()
        if not found or found not in characters:
            self.fail(f"the text is no valid JSON, or has other members: expected {' or '.join(characters)}")
        self._position += 1
        return found

    def take_object(self) -> tuple[int, str]:
        if self.next_character() != "{":
            self.fail("an item of the array is no object")
        while True:
            start, line = self._position, self._line
            try:
                _, end = self._decoder.raw_decode(self._text, start)
            except json.JSONDecodeError:
                if len(self._text) - start > OBJECT_LIMIT or not self._read_more():
                    self.fail(f"the object is no valid JSON, or has more than {OBJECT_LIMIT:,} characters")
            except RecursionError:
                self.fail("the object is nested too deeply")
            else:
                self._move_to(end)
                return line, self._text[start:end]

    def _move_to(self, end: int) -> None:
        self._line += self._text.count("\n", self._position, end)
        self._position = end

    def _read_more(self) -> bool:
        piece = next(self._texts, None)
        if piece is None:
            return False
        self._text, self._position = self._text[self._position :] + piece, 0
        return True
