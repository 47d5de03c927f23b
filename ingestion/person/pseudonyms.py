"""Choose the replacement of a person's value.

In: a value. Out: text that means the same to the models and does not identify the person.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from functools import cache

from ingestion.seeds import seed
from ingestion.sql import Connection, scalar
from ingestion.user_agents import parse_user_agent


def pseudonym() -> str:
    """Return a new random pseudonym."""
    return f"erased-{secrets.token_hex(8)}"


def word_pattern(values: Iterable[str], *, loosely: bool) -> re.Pattern[str]:
    """Return a pattern of the values as separate words. loosely: also next to - and _, as in an id of several parts."""
    part = "0-9A-Za-z" if loosely else "0-9A-Za-z_-"
    words = "|".join(re.escape(value) for value in sorted(values, key=len, reverse=True))
    return re.compile(rf"(?<![{part}])(?:{words})(?![{part}])")


def is_distinctive(value: str) -> bool:
    """Return whether other text is unlikely to equal an identifier: 42 is not distinctive."""
    return len(value) >= 8 and not (value.isdigit() and len(value) < 12)


def coarse_browser(user_agent: str) -> str:
    """Return the parts of a user agent that millions of people share: browser, system, device class and bot."""
    parsed = parse_user_agent(user_agent)
    parts = (parsed.browser, parsed.os, parsed.device_type, "bot" if parsed.is_bot else None)
    return f"erased ({'; '.join(filter(None, parts))})"


def common_answer(connection: Connection, answer: str) -> str:
    """Return an answer that several people gave; of a single person's, only the word by which marts classify it."""
    query = "select count(distinct coalesce(customer_id, visitor_id, order_id, answer_id)) from raw.survey_answers"
    if scalar(connection, f"{query} where answer = $1", [answer]) > 1:
        return answer
    spaced = f" {re.sub(r'[^a-z0-9À-ɏ.-]+', ' ', answer.lower())} ".replace(". ", " ")
    known = [word for word in survey_words() if f" {word} " in spaced]
    return f"erased ({max(known, key=lambda word: (len(word), word))})" if known else "erased"


@cache
def survey_words() -> tuple[str, ...]:
    """Return the words by which the marts classify answers, from their seed."""
    return tuple(row["word"] for row in seed("survey_words"))
