"""What one value in tributary.yaml may be. In: the value. Out: what is wrong with it and what to write, or None."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from ingestion.affiliate_pages import problem as pattern_problem
from ingestion.files.contracts import CONTRACTS


def hint(name: str, known: Iterable) -> str | None:
    """What was probably meant."""
    close = get_close_matches(name, [str(k) for k in known], 1)
    return f"do you mean {close[0]}?" if close else None


def text(value: Any) -> str | None:
    if not isinstance(value, str):
        return f'{value!r} is not text: write it in quotes ("{value}")'
    return None if value.strip() else "empty: give it a value"


def currency(value: Any) -> str | None:
    return (
        None
        if isinstance(value, str) and value in CURRENCIES
        else f"{value!r} is no ISO 4217 currency: write one such as USD"
    )


def zone(value: Any) -> str | None:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError, TypeError, AttributeError):
        return f"{value!r} is no IANA time zone: write one such as Europe/Berlin"
    return None


def days(value: Any) -> str | None:
    fine = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 365
    return None if fine else f"{value!r} is not a number of days from 1 to 365"


def days_by_type(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "must be such as {view: 1}"
    return next((f"{kind}: {problem}" for kind, part in value.items() if (problem := text(kind) or days(part))), None)


def amount(value: Any) -> str | None:
    fine = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e12
    return None if fine else f"{value!r} is not a number above 0"


def targets(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "must be such as {cpa: 50, roas: 2}"
    unknown = [name for name in value if name not in ("cpa", "roas")]
    if unknown:
        return f"{unknown[0]}: unknown: {hint(str(unknown[0]), ('cpa', 'roas')) or 'known here: cpa, roas'}"
    return next((f"{name}: {problem}" for name, part in value.items() if (problem := amount(part))), None)


def domains(value: Any) -> str | None:
    domain = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d+)?")
    if not isinstance(value, list):
        return "must be a list such as [example.com]"
    bad = [item for item in value if not isinstance(item, str) or not domain.fullmatch(item)]
    return f"{bad[0]!r} is no domain: write it without https:// and path, such as example.com" if bad else None


def one_of(*choices: Any) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        fine = value in choices and not isinstance(value, bool)
        return None if fine else f"{value!r} is none of {', '.join(map(str, choices))}"

    return check


def flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"{value!r} is neither true nor false"


def count(value: Any) -> str | None:
    fine = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return None if fine else f"{value!r} is not a whole number above 0"


def origins(value: Any) -> str | None:
    origin = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?")
    if not isinstance(value, list):
        return "must be a list such as [https://shop.example.com]"
    bad = [item for item in value if not isinstance(item, str) or not origin.fullmatch(item)]
    return f"{bad[0]!r} is no origin: write scheme and host, such as https://shop.example.com" if bad else None


def event_type(value: Any) -> str | None:
    fine = isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", value)
    return None if fine else f"{value!r} is no event type: write capitals and underscores, such as DEMO_BOOKED"


def properties(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "must be such as {plan: {type: string, required: true}}"
    checks = {
        "type": one_of("string", "number", "integer", "boolean"),
        "required": flag,
        "one_of": lambda value: None if isinstance(value, list) and value else "must be a list of values",
    }
    for name, entry in value.items():
        if not isinstance(entry, dict) or "type" not in entry:
            return f"{name}: must be such as {{type: string, required: true}}"
        for key, part in entry.items():
            if problem := checks[key](part) if key in checks else "unknown: known here: type, required, one_of":
                return f"{name}.{key}: {problem}"
    return None


def variable(value: Any) -> str | None:
    fine = isinstance(value, str) and re.fullmatch(r"[A-Z_][A-Z0-9_]*", value)
    return None if fine else "write the name of the environment variable that holds the secret, such as SHOPIFY_SECRET"


def patterns(value: Any) -> str | None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return "must be a list of pages such as [example.com/blog/*]"
    return next((wrong for item in value if (wrong := pattern_problem(item))), None)


def parameters(value: Any) -> str | None:
    known = [column.name for column in CONTRACTS["postbacks"].columns]
    return _names(value, "transaction_id: txid") or _unknown(value, known)


def statuses(value: Any) -> str | None:
    return _names(value, "confirmed: approved") or _unknown(value.values(), ["pending", "approved", "rejected"])


def _names(value: Any, example: str) -> str | None:
    fine = isinstance(value, dict) and all(isinstance(part, str) and part for pair in value.items() for part in pair)
    return None if fine else f"must be texts such as {{{example}}}"


def _unknown(names: Iterable[str], known: list[str]) -> str | None:
    unknown = [name for name in names if name not in known]
    return f"{unknown[0]}: unknown: {hint(unknown[0], known) or ', '.join(known)}" if unknown else None


SAMPLES = (100, 80, 50)  # percent of a site's visitors

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
