"""The result of one check of `tributary check`. In: a sentence. Out: a Finding with its level."""

from __future__ import annotations

from typing import Literal, NamedTuple

Level = Literal["good", "warning", "problem"]
MARKS: dict[Level, str] = {"good": "[green]✓[/green]", "warning": "[yellow]![/yellow]", "problem": "[red]✗[/red]"}


class Finding(NamedTuple):
    """A fact about an installation. A problem or a warning states what to do."""

    level: Level
    subject: str
    sentence: str


def good(subject: str, sentence: str) -> Finding:
    """Return a fact that needs no action."""
    return Finding("good", subject, sentence)


def warning(subject: str, sentence: str) -> Finding:
    """Return a fact that may be intended."""
    return Finding("warning", subject, sentence)


def problem(subject: str, sentence: str) -> Finding:
    """Return a fault."""
    return Finding("problem", subject, sentence)
