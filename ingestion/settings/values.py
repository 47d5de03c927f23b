"""Check single values of tributary.yaml.

In: a value. Out: None, or a message that says what is wrong and what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from ingestion.affiliate_pages import problem as pattern_problem
from ingestion.files.contracts import CONTRACTS
from ingestion.hosts import ascii_address
from ingestion.text import nearest, suggestion, zone_advice

Check = Callable[[Any], str | None]

WINDOWS = (1, 3, 7, 14, 28, 30, 90, 365)  # days: attribution_windows in dbt_project.yml
SAMPLES = (100, 80, 50)  # percent of a site's visitors


def text(value: Any) -> str | None:
    if not isinstance(value, str):
        return f'{value!r} is not text. Write it in quotes: "{value}".'
    return None if value.strip() else "the value is empty. Write one."


def identifier(value: Any) -> str | None:
    if problem := text(value):
        return problem
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", value):
        return None
    return (
        f"{shortened(value)} is not an id. Write 1 to 64 letters, digits, _ and -, such as my-shop. Begin with a letter"
        " or a digit."
    )


def shortened(value: Any) -> str:
    """Return the value as Python writes it, cut to the length of a readable message."""
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:80]}..."


def currency(value: Any) -> str | None:
    if isinstance(value, str) and value in CURRENCIES:
        return None
    close = nearest(str(value), sorted(CURRENCIES))
    return f"{value!r} is not an ISO 4217 currency. {f'Do you mean {close}?' if close else 'Write one such as USD.'}"


def zone(value: Any) -> str | None:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError, TypeError, AttributeError):
        return f"{value!r} is not an IANA time zone. {zone_advice(str(value))}"
    return None


def days(value: Any) -> str | None:
    fine = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 365
    return None if fine else f"{value!r} is not a number of days. Write a whole number from 1 to 365."


def windows(value: Any) -> str | None:
    if isinstance(value, list) and all(type(item) is int and item in WINDOWS for item in value):
        return None
    choices = ", ".join(map(str, WINDOWS))
    return f"{shortened(value)} is not a list of windows. Write one such as [7, 28], of these: {choices}."


def days_by_type(value: Any) -> str | None:
    if not isinstance(value, dict):
        return f"{value!r} is not a mapping. Write one such as {{view: 1}}."
    return next((f"{kind}: {problem}" for kind, part in value.items() if (problem := text(kind) or days(part))), None)


def percent(value: Any) -> str | None:
    fine = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100
    return None if fine else f"{value!r} is not a percentage. Write a whole number from 0 to 100."


def percent_by_type(value: Any) -> str | None:
    if not isinstance(value, dict):
        return f"{value!r} is not a mapping. Write one such as {{view: 30}}."
    return next(
        (f"{kind}: {problem}" for kind, part in value.items() if (problem := text(kind) or percent(part))), None
    )


def multiplier(value: Any) -> str | None:
    fine = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1000
    return None if fine else f"{value!r} is not a multiplier. Write a number from 0 to 1,000."


def day(value: Any) -> str | None:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        return f'{value!r} is not a day. Write it in quotes, such as "2026-01-31".'
    return None


def conversion_type(value: Any) -> str | None:
    fine = isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,63}", value)
    return None if fine else f"{value!r} is not a name. Write lowercase letters, digits and _, such as first_paid."


def names(value: Any) -> str | None:
    fine = isinstance(value, list) and value and all(isinstance(item, str) and item for item in value)
    return None if fine else f"{value!r} is not a list of names. Write one such as [purchase]."


def amount(value: Any) -> str | None:
    fine = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e12
    return None if fine else f"{value!r} is not an amount. Write a number above 0."


def targets(value: Any) -> str | None:
    if not isinstance(value, dict):
        return f"{value!r} is not a mapping. Write one such as {{cpa: 50, roas: 2}}."
    return _unknown(value, ["cpa", "roas"]) or next(
        (f"{name}: {problem}" for name, part in value.items() if (problem := amount(part))), None
    )


def texts(value: Any) -> str | None:
    if not isinstance(value, dict):
        return f'{value!r} is not a mapping. Write one such as {{account_id: "1234"}}.'
    return next((f"{name}: {problem}" for name, part in value.items() if (problem := text(part))), None)


def domains(value: Any) -> str | None:
    if not isinstance(value, list):
        return f"{value!r} is not a list. Write one such as [example.com]."
    return _first_without(
        [ascii_address(item) if isinstance(item, str) else item for item in value],
        r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d+)?",
        "is not a domain. Write it without https:// and path, such as example.com.",
    )


def origins(value: Any) -> str | None:
    if not isinstance(value, list):
        return f"{value!r} is not a list. Write one such as [https://shop.example.com]."
    return _first_without(
        [ascii_address(item) if isinstance(item, str) else item for item in value],
        r"https?://[A-Za-z0-9.-]+(:\d+)?",
        "is not an origin. Write the scheme and the host, such as https://shop.example.com.",
    )


def one_of(*choices: Any) -> Check:
    def check(value: Any) -> str | None:
        fine = value in choices and not isinstance(value, bool)
        return None if fine else f"{value!r} is unknown. Write one of {', '.join(map(str, choices))}."

    return check


def flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"{value!r} is not a flag. Write true or false."


def count(value: Any) -> str | None:
    fine = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return None if fine else f"{value!r} is not a count. Write a whole number above 0."


def size(value: Any) -> str | None:
    fine = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return None if fine else f"{value!r} is not a size. Write a whole number from 0."


def event_type(value: Any) -> str | None:
    fine = isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", value)
    return None if fine else f"{value!r} is not an event type. Write capitals and underscores, such as DEMO_BOOKED."


def properties(value: Any) -> str | None:
    if not isinstance(value, dict):
        return f"{value!r} is not a mapping. Write one such as {{plan: {{type: string, required: true}}}}."
    for name, entry in value.items():
        if not isinstance(entry, dict) or "type" not in entry:
            return f"{name}: the property has no type. Write it such as {{type: string, required: true}}."
        if problem := _unknown(entry, list(_PROPERTY)):
            return f"{name}.{problem}"
        for key, part in entry.items():
            if problem := _PROPERTY[key](part):
                return f"{name}.{key}: {problem}"
    return None


def _choices(value: Any) -> str | None:
    return (
        None if isinstance(value, list) and value else f"{value!r} is not a list of values. Write one such as [a, b]."
    )


_PROPERTY: dict[str, Check] = {
    "type": one_of("string", "number", "integer", "boolean"),
    "required": flag,
    "one_of": _choices,
}


def variable(value: Any) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"[A-Z_][A-Z0-9_]*", value):
        return None
    return (
        "this is not a variable's name. Write the name of the environment variable that holds the secret, such as"
        " SHOPIFY_SECRET."
    )


def email(value: Any) -> str | None:
    fine = isinstance(value, str) and re.fullmatch(r"[^\s@]+@[^\s@]+", value)
    return None if fine else f"{value!r} is not an e-mail address. Write one such as ana@example.com."


def orgs(value: Any) -> str | None:
    fine = value == "*" or (isinstance(value, list) and value and all(isinstance(item, str) for item in value))
    return None if fine else f'{value!r} is not a list of orgs. Write one such as [northwind], or "*" for all orgs.'


def issuer(value: Any) -> str | None:
    if isinstance(value, str) and re.fullmatch(
        r"(https://[^\s/?#@]+|http://(localhost|127\.0\.0\.1)(:\d+)?)(/[^\s?#]*)?", value
    ):
        return None
    return f"{value!r} is not the address of a provider. Write one such as https://accounts.google.com."


def patterns(value: Any) -> str | None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return f"{value!r} is not a list of pages. Write one such as [example.com/blog/*]."
    return next((wrong for item in value if (wrong := pattern_problem(item))), None)


def parameters(value: Any) -> str | None:
    known = [column.name for column in CONTRACTS["postbacks"].columns]
    return _names(value, "transaction_id: txid") or _unknown(value, known)


def statuses(value: Any) -> str | None:
    return _names(value, "confirmed: approved") or _unknown(value.values(), ["pending", "approved", "rejected"])


def _names(value: Any, example: str) -> str | None:
    fine = isinstance(value, dict) and all(isinstance(part, str) and part for pair in value.items() for part in pair)
    return None if fine else f"{value!r} is not a mapping of texts. Write one such as {{{example}}}."


def _first_without(values: list[Any], pattern: str, problem: str) -> str | None:
    bad = [item for item in values if not isinstance(item, str) or not re.fullmatch(pattern, item)]
    return f"{bad[0]!r} {problem}" if bad else None


def _unknown(names: Iterable[str], known: list[str]) -> str | None:
    unknown = [name for name in names if name not in known]
    return f"{unknown[0]}: unknown name. {suggestion(str(unknown[0]), known)}" if unknown else None


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
