"""A person's value -> what takes its place: it says as much to the models, and nothing of whom."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from functools import cache

from ingestion.seeds import seed
from ingestion.sql import Connection
from ingestion.user_agents import parse_user_agent


def pseudonym() -> str:
    return f"erased-{secrets.token_hex(8)}"


def in_words(values: Iterable[str], *, loosely: bool) -> re.Pattern[str]:
    """The identifiers where they stand alone; loosely: next to - and _ too, as in an id made of several."""
    part = "0-9A-Za-z" if loosely else "0-9A-Za-z_-"
    words = "|".join(re.escape(value) for value in sorted(values, key=len, reverse=True))
    return re.compile(rf"(?<![{part}])(?:{words})(?![{part}])")


def is_distinctive(value: str) -> bool:
    """Whether an identifier can be told from any other text: 42 cannot."""
    return len(value) >= 8 and not (value.isdigit() and len(value) < 12)


def coarse_browser(user_agent: str) -> str:
    """Return the parts of a user agent that millions of people share: browser, system, device class and bot."""
    parsed = parse_user_agent(user_agent)
    parts = (parsed.browser, parsed.os, parsed.device_type, "bot" if parsed.is_bot else None)
    return f"erased ({'; '.join(filter(None, parts))})"


def common_answer(connection: Connection, answer: str) -> str:
    """An answer that several people gave; of a single person's own words the one by which the marts file it."""
    said = "select count(distinct coalesce(customer_id, visitor_id, order_id, answer_id)) from raw.survey_answers"
    (people,) = connection.execute(f"{said} where answer = $1", [answer]).fetchone()
    if people > 1:
        return answer
    spaced = f" {re.sub(r'[^a-z0-9À-ɏ.-]+', ' ', answer.lower())} ".replace(". ", " ")
    known = [word for word in survey_words() if f" {word} " in spaced]
    return f"erased ({max(known, key=lambda word: (len(word), word))})" if known else "erased"


@cache
def survey_words() -> tuple[str, ...]:
    """The words by which the marts file answers: their own seed."""
    return tuple(row["word"] for row in seed("survey_words"))
