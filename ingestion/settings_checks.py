"""What may stand in tributary.yaml. In: the parsed document, with its line numbers. Out: its problems, all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo


def problems(document: Any) -> Iterable[tuple[int, str]]:
    """(line, where: what: what to do) for everything that is wrong with the parsed document."""
    if not isinstance(document, dict):
        yield 1, "the file has no `orgs:`: add `orgs: [{id: default, currency: USD, timezone: UTC}]`"
        return
    yield from _unknown(document, "", ("orgs", "sites", "ad_accounts", "targets"))
    if not document.get("orgs"):
        yield 1, "orgs: there is none: add `orgs: [{id: default, currency: USD, timezone: UTC}]`"
    for section, (required, checks, key) in _SECTIONS.items():
        entries = document.get(section)
        if entries is None:
            if section in document:
                yield _line(document, section), f"{section}: empty: remove the line or list entries under it"
            continue
        if not isinstance(entries, list):
            yield _line(document, section), f"{section}: must be a list: begin each entry with `- `"
            continue
        orgs = [entry.get("id") for entry in document.get("orgs") or [] if isinstance(entry, dict)]
        seen: dict[tuple, str] = {}
        for index, entry in enumerate(entries):
            where = f"{section}[{index}]"
            if not isinstance(entry, dict):
                yield _line(entries, index), f"{where}: must be `{{{required[0]}: ...}}`, not {entry!r}"
                continue
            yield from _entry_problems(entry, where, required, checks)
            if "org" in entry and isinstance(entry["org"], str) and entry["org"] not in orgs:
                hint = _hint(entry["org"], orgs) or f"add it under orgs, or use one of {', '.join(map(str, orgs))}"
                yield _line(entry, "org"), f"{where}.org: there is no org {entry['org']}: {hint}"
            identity = tuple(str(entry.get(name)).lower() for name in key)
            if identity in seen:
                yield (
                    _line(entries, index),
                    f"{where}: same {' and '.join(key)} as {seen[identity]}: remove one of them",
                )
            seen.setdefault(identity, where)


def _entry_problems(entry: dict, where: str, required: tuple, checks: dict) -> Iterable[tuple[int, str]]:
    yield from _unknown(entry, where, tuple(checks))
    for name in required:
        if name not in entry:
            yield entry.lc.line + 1, f"{where}: {name} is missing: add `{name}: ...`"
    for name, value in entry.items():
        if name in checks and (problem := checks[name](value)):
            yield _line(entry, name), f"{where}.{name}: {problem}"


def _unknown(entry: dict, where: str, known: tuple[str, ...]) -> Iterable[tuple[int, str]]:
    for name in entry:
        if name not in known:
            hint = _hint(str(name), known) or f"known here: {', '.join(known)}"
            yield _line(entry, name), f"{where}.{name}: unknown: {hint}".lstrip(".")


def _hint(name: str, known: Iterable) -> str | None:
    close = get_close_matches(name, [str(k) for k in known], 1)
    return f"do you mean {close[0]}?" if close else None


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return f'{value!r} is not text: write it in quotes ("{value}")'
    return None if value.strip() else "empty: give it a value"


def _currency(value: Any) -> str | None:
    return (
        None
        if isinstance(value, str) and value in CURRENCIES
        else f"{value!r} is no ISO 4217 currency: write one such as USD"
    )


def _zone(value: Any) -> str | None:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError, TypeError, AttributeError):
        return f"{value!r} is no IANA time zone: write one such as Europe/Berlin"
    return None


def _days(value: Any) -> str | None:
    fine = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 365
    return None if fine else f"{value!r} is not a number of days from 1 to 365"


def _days_by_type(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "must be such as {view: 1}"
    return next((f"{kind}: {problem}" for kind, days in value.items() if (problem := _text(kind) or _days(days))), None)


def _amount(value: Any) -> str | None:
    fine = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e12
    return None if fine else f"{value!r} is not a number above 0"


def _targets(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "must be such as {cpa: 50, roas: 2}"
    unknown = [name for name in value if name not in ("cpa", "roas")]
    if unknown:
        return f"{unknown[0]}: unknown: {_hint(str(unknown[0]), ('cpa', 'roas')) or 'known here: cpa, roas'}"
    return next((f"{name}: {problem}" for name, amount in value.items() if (problem := _amount(amount))), None)


def _domains(value: Any) -> str | None:
    domain = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d+)?")
    if not isinstance(value, list):
        return "must be a list such as [example.com]"
    bad = [item for item in value if not isinstance(item, str) or not domain.fullmatch(item)]
    return f"{bad[0]!r} is no domain: write it without https:// and path, such as example.com" if bad else None


# section -> (required keys, key -> check of its value, what identifies an entry)
_SECTIONS: dict[str, tuple[tuple[str, ...], dict[str, Callable[[Any], str | None]], tuple[str, ...]]] = {
    "orgs": (
        ("id", "currency"),
        {
            "id": _text,
            "currency": _currency,
            "timezone": _zone,
            "lookback_days": _days,
            "targets": _targets,
            "lookback_days_by_touch_type": _days_by_type,
        },
        ("id",),
    ),
    "sites": (("id", "org"), {"id": _text, "org": _text, "public_key": _text, "domains": _domains}, ("id",)),
    "ad_accounts": (
        ("platform", "account_id", "org"),
        {"platform": _text, "account_id": _text, "org": _text},
        ("platform", "account_id"),
    ),
    "targets": (
        ("org", "platform"),
        {
            "org": _text,
            "platform": _text,
            "campaign_id": _text,
            "cpa": _amount,
            "roas": _amount,
        },
        ("org", "platform", "campaign_id"),
    ),
}

# ISO 4217, active codes.
CURRENCIES = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
    CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP
    GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD
    KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN
    NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP
    SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES
    VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG""".split()  # noqa: SIM905 - a table of words
)


def _line(node: Any, key: Any) -> int:
    try:
        return (node.lc.key(key) if isinstance(node, dict) else node.lc.item(key))[0] + 1
    except (AttributeError, KeyError, TypeError, IndexError):
        return 1
