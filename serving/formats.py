"""Write values for people: money, counts, shares, days. In: a value and its unit. Out: a short text."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from babel.numbers import format_currency

from serving.questions import Column

NOTHING = "–"
# Words of codes whose words differ by more than underscores. The unit `word` is for codes such as no_conversions.
WORDS = {"high_cpa": "high CPA", "low_roas": "low ROAS", "CAMPAIGN": "campaign", "ADSET": "ad set", "AD": "ad"}


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
    if unit == "word":
        return WORDS.get(str(value)) or str(value).replace("_", " ")
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
