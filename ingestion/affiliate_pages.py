"""Match URLs with patterns of affiliates' pages: one look-up for thousands of patterns.

In: patterns such as `example.com/blog/*`, then URLs. Out: the most specific pattern that a URL matches, or None.

A pattern is a host and, optionally, a path. `*` stands for any characters. A host without `*` includes its subdomains.
A pattern without a path includes every page. Hosts are compared without case, paths with case, queries not at all.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import NamedTuple
from urllib.parse import urlsplit

from ingestion.hosts import ascii_host

_PATTERN = re.compile(r"(?:https?://)?([\w.*-]+)(/[^?#\s]*)?")

_LONGEST = 2_000  # characters of a path; a longer one matches no pattern


class _Pattern(NamedTuple):
    text: str
    host: list[str]  # the parts between the wildcards
    path: list[str]


def problem(pattern: str) -> str | None:
    """Return what is wrong with a pattern, or None."""
    found = _PATTERN.fullmatch(pattern)
    if found and re.search(r"[^.*]$", found[1]) and "*" not in found[1].rpartition(".")[2]:
        return None
    return f"{pattern!r} is not a pattern of pages. Write a host and a path, such as example.com/blog/*"


def matcher(patterns: Iterable[str]) -> Callable[[str], str | None]:
    """Return a function from URL to its most specific pattern; of equally specific patterns the first by name.

    It tries only patterns with their longest literal in the path, each in linear time, without backtracking.
    """
    # Host without wildcards -> the longest literal of the path -> patterns, the most specific first.
    index: defaultdict[str, defaultdict[str, list[_Pattern]]] = defaultdict(lambda: defaultdict(list))
    for text in sorted(set(patterns), key=_rank):
        found = _PATTERN.fullmatch(text)
        if not found or problem(text):
            raise ValueError(problem(text))
        spelled = ".".join(map(ascii_host, found[1].lower().split(".")))
        host, path = spelled.split("*"), (found[2] or "*").split("*")
        # After a wildcard only whole labels are known: example.com in `*x.example.com`.
        known = host[0] if len(host) == 1 else host[-1].partition(".")[2]
        index[known][max(path, key=len)].append(_Pattern(text, host, path))
    lengths = {host: sorted({len(literal) for literal in literals}) for host, literals in index.items()}

    def match(url: str) -> str | None:
        try:
            parts = urlsplit(url if "//" in url else f"//{url}")
            host, path = ascii_host((parts.hostname or "").rstrip(".")), parts.path or "/"
        except ValueError:  # not a URL
            return None
        best: list[str] = []
        known = host
        while known and len(path) <= _LONGEST:
            literals: Mapping[str, list[_Pattern]] = index.get(known, {})
            present = {path[at : at + n] for n in lengths.get(known, ()) for at in range(len(path) - n + 1)}
            for literal in present & literals.keys():
                fitting = (p.text for p in literals[literal] if _fits(p.host, host, known) and _fits(p.path, path))
                best.extend(islice(fitting, 1))
            known = known.partition(".")[2]
        return min(best, key=_rank, default=None)

    return match


def _rank(pattern: str) -> tuple[int, str]:
    return -len(pattern.replace("*", "")), pattern


def _fits(parts: list[str], text: str, known: str | None = None) -> bool:
    """Return whether the text has the parts in order, with anything between them. known: the known end of a host."""
    if len(parts) == 1:
        return (known or text) == parts[0]
    first, *between, last = parts
    if not text.startswith(first) or not text.endswith(last):
        return False
    position = len(first)
    for part in between:
        position = text.find(part, position)
        if position < 0:
            return False
        position += len(part)
    return position <= len(text) - len(last)
