"""Personal data that an event brings by accident is hashed or masked at the door.

In: events, text or JSON as a client sent them. Out: the same without e-mail addresses, and without IP addresses but
for the hosts of URLs. The rules are those of ingestion/privacy.py, which does it to files, in SQL.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ingestion.collector.messages import Event
from ingestion.privacy import is_dropped

# Bounded, so that no text, however it is made, takes long.
_DOT = r"(?:\.|%(?:25)?2[eE])"
_HOST = r"(?:[\w.-]|%(?:25)?2[eE]){1,255}"  # no character fits two alternatives: nothing is tried twice
_EMAIL = re.compile(rf"[\w.+%-]{{1,128}}(?:@|%40|%2540){_HOST}{_DOT}[^\W\d_]{{2,}}")
_OCTET = r"(?:25[0-5]|2[0-4]\d|[01]?\d?\d)"
_IPV4 = re.compile(rf"(?<![\d.])(?:{_OCTET}{_DOT}){{3}}{_OCTET}(?!\d|\.\d)")
_GROUP, _COLON = "[0-9a-fA-F]{1,4}", "(?::|%(?:25)?3[aA])"
# A shortened one begins as those do that anybody has: 12::34 is an id.
_IPV6 = re.compile(
    rf"(?:(?<![0-9A-Za-z_])|(?<=%[0-9A-Fa-f]{{2}}))(?:(?:{_GROUP}{_COLON}){{7}}{_GROUP}"
    rf"|[23fF][0-9a-fA-F]{{3}}(?:{_COLON}{_GROUP}){{0,6}}{_COLON}{_COLON}(?:{_GROUP}(?:{_COLON}{_GROUP}){{0,6}})?)"
)
_AUTHORITY = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{0,30}:)?//[^/?#]*")
_PHONE = re.compile(r"(?i)(?:.+_)?phone(?:_?number)?")
_MARKS = bytes(set(range(256)) - set(b'"/.:@%\\?&='))
_ESCAPED = re.compile(rb"%(?:25)?(?:40|3[aA]|2[eE])")
_IDS = ("event_id", "anon_id", "session_id", "user_id", "order_id", "entity_id")
_TEXTS = ("type", "path", "title", "currency", "conversion_type", "entity_type")
MAX_DEPTH = 32


def may_be_personal(body: bytes) -> bool:
    """Whether a body may hold an e-mail or IP address; false for nearly all of them, and cheaply so."""
    marks = body.translate(None, _MARKS)
    return (
        b"@" in marks
        or b"..." in marks  # four groups of an IPv4 address in one string
        or b":::" in marks  # those of an IPv6 address
        or (b"%" in marks and _ESCAPED.search(body) is not None)
        or (b"\\" in marks and b"\\u00" in body)
    )


def scrub(event: Event) -> None:
    """Take personal data out of an event, in place."""
    for name in _IDS:
        if value := getattr(event, name):
            setattr(event, name, clean_id(value))
    for name in _TEXTS:
        if value := getattr(event, name):
            setattr(event, name, without_addresses(value))
    event.url, event.referrer = clean_url(event.url), clean_url(event.referrer)
    if event.properties:
        event.properties = clean(event.properties)


def may_hold_mail(text: str) -> bool:
    """Whether it is worth a closer look; also for NUL, which no database likes in text."""
    return "@" in text or "%40" in text or "%2540" in text or "\0" in text


def clean_id(value: str) -> str:
    """An id without addresses. One that holds an IP address is none at all: its hash could be guessed."""
    value = hashed_id(value)
    return value if without_addresses(value) == value else ""


def hashed_id(value: str) -> str:
    """An id that is an e-mail address as its SHA-256: two people must not become one."""
    if not may_hold_mail(value):
        return value
    value = value.replace("\0", "")
    return sha256(value.strip().lower().encode()).hexdigest() if _EMAIL.search(value) else value


def email_hash(email: str | None) -> str | None:
    """SHA-256 of the normalised address, as for files."""
    normalised = email.strip().lower() if email else ""
    return sha256(normalised.encode()).hexdigest() if normalised else None


def phone_hash(phone: str | None) -> str | None:
    """SHA-256 of the digits, with a leading + if it was there, as for files."""
    digits = re.sub("[^0-9]", "", phone or "")
    plus = "+" if phone and phone.strip().startswith("+") else ""
    return sha256((plus + digits).encode()).hexdigest() if digits else None


def without_mail(text: str) -> str:
    return _EMAIL.sub("(email)", text.replace("\0", "")) if may_hold_mail(text) else text


def without_addresses(text: str) -> str:
    """The text without what looks like an e-mail or IP address."""
    text = without_mail(text)
    if text.count(".") > 2 or "%2" in text:
        text = _IPV4.sub("(ip)", text)
    if "::" in text or text.count(":") > 6 or "%3" in text or "%253" in text:
        text = _IPV6.sub("(ip)", text)
    return text


def clean_url(url: str | None) -> str:
    """A host may be an IP address, which is no visitor's; what follows may not. A name and password before it go."""
    if not url:
        return ""
    found = _AUTHORITY.match(url)
    if not found:
        return without_addresses(url)
    scheme, _, authority = found[0].partition("//")
    return f"{scheme}//{without_mail(authority.rpartition('@')[2])}{without_addresses(url[found.end() :])}"


def campaign_only(url: str | None) -> str:
    """The URL with nothing behind ? but utm_*: no click id, which is an id of a person."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        kept = [(name, value) for name, value in parse_qsl(parts.query) if name.lower().startswith("utm_")]
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, urlencode(kept), ""))
    except ValueError:
        return url.partition("?")[0].partition("#")[0]


def forget(event: Event) -> None:
    """Without consent no id is kept; the order's is, so that it counts once."""
    event.anon_id = event.session_id = event.user_id = ""
    event.email = event.phone = event.email_hash = event.phone_hash = ""
    event.url, event.referrer = campaign_only(event.url), campaign_only(event.referrer)
    event.path = event.path.partition("?")[0].partition("#")[0] if event.path else ""


def has_personal_names(properties: dict[str, Any]) -> bool:
    """Whether members are named like an IP address or a phone number, or are nested and have to be looked through."""
    for name, value in properties.items():
        if value.__class__ is dict or value.__class__ is list:
            return True
        if _known_names.get(name) is not False and _is_personal(name):
            return True
    return False


def clean(value: Any, depth: int = 0) -> Any:
    """JSON without members named like an IP address or phone number, and without such addresses in any text.

    Raises RecursionError for what is nested more than MAX_DEPTH deep.
    """
    if isinstance(value, str):
        return without_addresses(value)
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(value, dict):
        kept = {name: part for name, part in value.items() if not _is_personal(name)}
        return {without_addresses(name): clean(part, depth + 1) for name, part in kept.items()}
    return [clean(part, depth + 1) for part in value] if isinstance(value, list) else value


_known_names: dict[str, bool] = {}


def _is_personal(name: str) -> bool:
    known = _known_names.get(name)
    if known is None:
        known = is_dropped(name) or _PHONE.fullmatch(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)) is not None
        if len(_known_names) < 10_000 and len(name) < 64:
            _known_names[name] = known
    return known
