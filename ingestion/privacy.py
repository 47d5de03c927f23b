"""Personal data is hashed or dropped at the door. In: a column of an input file. Out: SQL that reads it without it.

Applied in the very statement that reads a file, so that neither raw tables nor failed rows ever hold the original.
"""

from __future__ import annotations

import re

# A backslash before it belongs to a JSON escape: it goes too, so that scrubbed JSON stays JSON.
EMAIL = r"\\*[\p{L}\p{N}._%+-]+(@|%40)[\p{L}\p{N}.-]+\.\p{L}{2,}"
IPV4 = r"\b(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}\b"

_IP = r"(.+_)?ip(_?addr(ess)?)?|remote_?addr(ess)?"
_MAIL = r"(.+_)?e_?mail(_?address)?"
_PHONE = r"(.+_)?phone(_?number)?"
# Members of JSON objects, however deep, that bear such a name. Their e-mail addresses are found by their shape.
_MEMBER = (
    r'(?i)"((?:user|client|remote)?_?(?:ip(?:_?addr(?:ess)?)?|addr)|phone(?:_?number)?)"'
    r'\s*:\s*(?:"(?:[^"\\]|\\.)*"|[-+0-9.]+)'
)


def is_dropped(column: str) -> bool:
    """Whether a column is never read: it is named like an IP address."""
    return bool(re.fullmatch(_IP, _name(column)))


def scrubbed(column: str, expression: str, *, is_id: bool) -> str:
    """SQL for the text `expression` of `column` without personal data.

    E-mail and phone columns become SHA-256 of the normalised value; so does an id that holds an e-mail address (two
    people must not become one); in any other text the address is replaced by `(email)`.
    """
    name = _name(column)
    if re.fullmatch(_MAIL, name):
        return f"sha256(lower(nullif(trim({expression}), '')))"
    if re.fullmatch(_PHONE, name):
        digits = f"regexp_replace({expression}, '[^0-9]', '', 'g')"
        return f"sha256(nullif(if(trim({expression}) like '+%', '+', '') || {digits}, ''))"
    has_mail = f"(contains({expression}, '@') or contains({expression}, '%40'))"
    if is_id:
        return (
            f"case when {has_mail} and regexp_matches({expression}, '{EMAIL}')"
            f" then sha256(lower(trim({expression}))) else {expression} end"
        )
    masked = f"case when {has_mail} then regexp_replace({expression}, '{EMAIL}', '(email)', 'g') else {expression} end"
    members = f"regexp_replace({masked}, '{_MEMBER}', '\"\\1\": \"(removed)\"', 'g')"
    return f"case when left({expression}, 1) in ('{{', '[') then {members} else {masked} end"


def scrubbed_text(expression: str) -> str:
    """SQL for a line that no parser understood, without what looks like an e-mail or IP address."""
    mail = f"regexp_replace({expression}, '{EMAIL}', '(email)', 'g')"
    return f"regexp_replace({mail}, '{IPV4}', '(ip)', 'g')"


def _name(column: str) -> str:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column.strip())
    return re.sub(r"[^a-z0-9]+", "_", snake.lower()).strip("_")
