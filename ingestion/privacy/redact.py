"""Redact personal data in Python: the collector's side of the rule that sql.py applies to files.

In: text, ids, or decoded JSON, as a client sent them. Out: the same, with e-mail and IP addresses replaced by `(email)`
and `(ip)`, without members named like an IP address or a phone number, and with ids that are addresses hashed.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
import re2

from ingestion.privacy.patterns import (
    AUTHORITY,
    EMAIL,
    IPV4,
    IPV6,
    LONG_NUMBER,
    NO_USER_AGENT,
    PERSON_MEMBER,
    PERSONAL_MEMBER,
    USER_AGENT_IPV4,
    USER_INFO,
    WHITESPACE,
    kind_of,
)

MAX_DEPTH = 32
TOO_DEEP = "(nested too deeply)"
_SHORTEST_EMAIL = len("a@b.cc")

_email, _ipv4, _ipv6 = (re2.compile(pattern.expression) for pattern in (EMAIL, IPV4, IPV6))
_user_agent_ipv4, _authority = re2.compile(USER_AGENT_IPV4.expression), re2.compile(AUTHORITY)
_no_user_agent = re2.compile(NO_USER_AGENT)
_person_member = re2.compile(PERSON_MEMBER)
_personal_member, _long_number = re2.compile(PERSONAL_MEMBER), re2.compile(LONG_NUMBER)
_ESCAPES = [(re2.compile(rf"(?i)\\+u00{ord(character):x}"), character) for character in "@.:"]
_user_info = re2.compile(USER_INFO.expression)


def redact_text(text: str) -> str:
    """Return the text without e-mail and IP addresses.

    A JSON object or array is redacted as JSON. A URL loses its name and password, and keeps its host, which may be an
    IP address: a server's, not a visitor's.
    """
    if "\0" in text:
        text = text.replace("\0", "")
    if ("{" in text or "[" in text) and text.lstrip(WHITESPACE)[:1] in ("{", "["):
        return redact_json_text(text)
    return _redact_plain(text)


def redact_user_agent(text: str) -> str:
    """Return a user agent without e-mail and IP addresses. A product's version, such as Chrome/126.0.0.0, stays."""
    text = text.replace("\0", "")
    if ("{" in text or "[" in text or "//" in text) and _no_user_agent.search(text):
        return redact_text(text)
    if _may_hold_email(text) and _email.search(text):
        text = _email.sub(EMAIL.replacement, text)
    return _without_ips(text, _user_agent_ipv4) if _holds_ip(text) else text


def redact_id(value: str) -> str:
    """Return an id without personal data: a hash where it is an e-mail address, so that two people stay two.

    An id that holds an IP address, or JSON with personal data, becomes empty, because anybody could guess what its hash
    was made of.
    """
    value = value.replace("\0", "")
    if _may_hold_email(value) and _email.search(value):
        return _hash(value)
    if value.lstrip(WHITESPACE)[:1] in ("{", "["):
        return value if redact_json_text(value) == value else ""
    return "" if _holds_ip(value) else value


def redact_json(value: Any, depth: int = 0) -> Any:
    """Return decoded JSON without members named like an IP address or phone number, every text in it redacted.

    Raises RecursionError where it is nested more than MAX_DEPTH deep.
    """
    if isinstance(value, str):
        return redact_text(value)
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(value, dict):
        # A name is redacted before it is judged, so that a second redaction finds nothing more.
        members = [(redact_text(name), part) for name, part in value.items()]
        return {
            name: _redact_member(name, part, depth) for name, part in members if kind_of(name) not in ("ip", "phone")
        }
    return [redact_json(part, depth + 1) for part in value] if isinstance(value, list) else value


def _redact_member(name: str, part: Any, depth: int) -> Any:
    if kind_of(name) == "user_agent" and isinstance(part, str):
        return redact_user_agent(part)
    if (
        isinstance(part, str)
        and "@" in part
        and _person_member.search(name)
        and _email.fullmatch(part.strip(WHITESPACE))
    ):
        return _hash(part)
    return redact_json(part, depth + 1)


def redact_json_text(text: str) -> str:
    """Return JSON text redacted as JSON, character by character the same where nothing is to be redacted.

    Text that is not JSON is redacted as any other text. sql.py registers this function as DuckDB's `redact_json`.
    """
    try:
        value = decode_json(text)
    except ValueError:
        return _redact_damaged_json(text)
    except RecursionError:
        return TOO_DEEP
    try:
        redacted = redact_json(value)
    except RecursionError:
        return TOO_DEEP
    is_same = redacted == value and not _has_repeated_names(text)  # of repeated names only the last was decoded
    return text if is_same else msgspec.json.encode(redacted).decode()


def _redact_damaged_json(text: str) -> str:
    """Redact JSON that does not end, or text in brackets. A name before a number may be `phone`."""
    if "\\" in text:
        for escape, character in _ESCAPES:
            text = escape.sub(character, text)
    text = _redact_plain(text)
    return _long_number.sub("(number)", text) if _personal_member.search(text) else text


def decode_json(text: str | bytes) -> Any:
    """Return decoded JSON, numbers that no machine holds as text. Raises ValueError or RecursionError."""
    try:
        return msgspec.json.decode(text)
    except ValueError:
        text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        return json.loads(text, parse_float=str, parse_int=_whole_number)


def hash_email(email: str | None) -> str | None:
    """Return the SHA-256 of the normalised address, or None where there is none."""
    return _hash(email) if email and email.strip(WHITESPACE) else None


def hash_phone(phone: str | None) -> str | None:
    """Return the SHA-256 of the digits, with a leading + where the number has one, or None."""
    digits = "".join(digit for digit in phone or "" if "0" <= digit <= "9")
    plus = "+" if phone and phone.strip(WHITESPACE).startswith("+") else ""
    return sha256((plus + digits).encode()).hexdigest() if digits else None


def campaign_only(url: str | None) -> str:
    """Return the URL with no parameter but utm_*: a click id is an id of a person."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        kept = [(name, value) for name, value in parse_qsl(parts.query) if name.lower().startswith("utm_")]
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, urlencode(kept), ""))
    except ValueError:
        return url.partition("?")[0].partition("#")[0]


def _redact_plain(text: str) -> str:
    if _may_hold_email(text):
        if "//" in text:
            text = _user_info.sub(USER_INFO.replacement, text)
        if len(text) >= _SHORTEST_EMAIL and _email.search(text):
            text = _email.sub(EMAIL.replacement, text)
    if not _holds_ip(text):
        return text
    found = _authority.search(text) if "//" in text else None
    rest = text[found.end() :] if found else text
    rest = _without_ips(rest, _ipv4)
    return found[0] + rest if found else rest


def _without_ips(text: str, ipv4: Any) -> str:
    for pattern, expression in ((IPV4, ipv4), (IPV4, ipv4), (IPV6, _ipv6)):
        if expression.search(text):
            text = expression.sub(pattern.replacement, text)
    return text


# The marks of patterns.py, written out: these run for every text of an event with an address in it.


def _may_hold_email(text: str) -> bool:
    return "@" in text or ("%" in text and ("%40" in text or "%2540" in text))


def _holds_ip(text: str) -> bool:
    is_escaped = "%" in text
    if (text.count(".") > 2 or (is_escaped and _has_escaped(text, "2E"))) and _ipv4.search(text):
        return True
    may_be_ipv6 = ":" in text and ("::" in text or text.count(":") > 6)
    return bool((may_be_ipv6 or (is_escaped and _has_escaped(text, "3A"))) and _ipv6.search(text))


def _has_escaped(text: str, code: str) -> bool:
    upper = text.upper()
    return f"%{code}" in upper or f"%25{code}" in upper


def _hash(value: str) -> str:
    """As SQL's sha256(lower(trim(value))): DuckDB lowers one character at a time, Python does not."""
    value = value.strip(WHITESPACE)
    if value.isascii():
        return sha256(value.lower().encode()).hexdigest()
    return sha256("".join(map(str.lower, value.replace("\u0130", "i"))).encode()).hexdigest()


def _has_repeated_names(text: str) -> bool:
    is_repeated = False

    def members(pairs: list[tuple[str, Any]]) -> None:
        nonlocal is_repeated
        is_repeated |= len(pairs) > len({name for name, _ in pairs})

    json.loads(text, object_pairs_hook=members)
    return is_repeated


def _whole_number(digits: str) -> int | str:
    return int(digits) if len(digits) < 20 else digits
