"""Write values for people: money, counts, shares, days. In: a value and its unit. Out: a short text."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit

from babel.numbers import format_currency
from markupsafe import Markup

from serving.questions import Column

NOTHING = "-"
WORDS = {"cpa": "CPA", "roas": "ROAS", "id": "ID", "utm": "UTM", "adset": "ad set"}  # in labels
MARKED = ("url", "code", "date", "time")  # units that a page shows as an element of its own


def shown(value: Any, unit: str, currency: str, *, is_short: bool = False) -> str:
    """Return a value as text. Money is in micros of the currency. is_short: without cents from 1,000 on."""
    if value is None or value == "":
        return NOTHING
    if unit == "money":
        amount = Decimal(value) / 1_000_000
        pattern = "¤#,##0" if is_short and abs(amount) >= 1000 else None
        return str(format_currency(amount, currency, pattern, locale="en_US", currency_digits=pattern is None))
    if unit == "count":
        number = float(value)
        return f"{number:,.0f}" if number == int(number) or abs(number) >= 1000 else f"{number:,.1f}"
    if unit == "percent":
        return f"{float(value):,.1%}"
    if unit in ("ratio", "number"):
        return f"{float(value):,.2f}"
    if unit == "days":
        return f"{float(value):,.1f}"
    if unit == "label":
        words = [WORDS.get(word) or word for word in str(value).lower().split("_")]
        return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return " → ".join(map(str, value))
    return str(value)


def change(value: Any, before: Any) -> float | None:
    """Return the relative change between two figures; None without a figure to compare with."""
    if value is None or not before:
        return None
    return float(value) / float(before) - 1


def is_number(unit: str) -> bool:
    """Return whether values of a unit are aligned right."""
    return unit in ("money", "count", "percent", "ratio", "number", "days")


def marked(value: Any, unit: str) -> Markup:
    """Return a link, code or a time as HTML. Only http and https addresses become links: others may run code."""
    if not value:
        return Markup(NOTHING)
    if unit in ("date", "time"):
        return Markup("<time>{}</time>").format(shown(value, unit, ""))
    if unit == "code":
        return Markup("<code>{}</code>").format(value)
    try:
        parts = urlsplit(str(value))
    except ValueError:
        return Markup("{}").format(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return Markup("{}").format(value)
    text = parts.hostname.removeprefix("www.") + parts.path.rstrip("/")
    return Markup('<a href="{}" rel="noopener noreferrer nofollow" title="{}">{}</a>').format(value, value, text)


def with_code(text: str) -> Markup:
    """Return a sentence whose `commands` are code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>" if place % 2 else "{}").format(part) for place, part in enumerate(parts)
    )


def link(column: Column, record: dict[str, Any]) -> str | None:
    """Return the path to which a value leads, with the row's values in it; None without one."""
    if not column.link or record.get(column.name) is None:
        return None
    path = column.link
    for name, value in record.items():
        if f"{{{name}}}" in path:
            if value is None:
                return None
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    return path
