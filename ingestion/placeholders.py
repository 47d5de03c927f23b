"""Recognise placeholders: texts that stand in the place of an id, such as `undefined` or `{order_id}`.

In: seeds/placeholder_ids.csv. Out: `real_id` for Python, and the SQL function `real_id` with the same result.
"""

from __future__ import annotations

import re

import re2

from ingestion.seeds import seed
from ingestion.sql import Connection, literal

EXPRESSION = f"(?i)(?:{'|'.join(row['pattern'] for row in seed('placeholder_ids'))})"  # of a whole text
_matches = re2.compile(EXPRESSION).fullmatch
# No pattern fits such a text. Most ids are such texts, and this test takes a tenth of the time.
_is_usual = re.compile(r"[0-9A-Za-z].*?[1-9].*?[1-9].*?[1-9]").match


def real_id(text: str | None) -> str:
    """Return the id, or empty text if it is absent or a placeholder."""
    return "" if not text or (not _is_usual(text) and _matches(text)) else text


def create_function(connection: Connection) -> None:
    """Create real_id(t) on a connection: the id, or NULL if it is a placeholder."""
    connection.execute(
        "create or replace temp macro real_id(t) as"
        f" case when regexp_full_match(t, {literal(EXPRESSION)}) then null else t end"
    )
