"""Format amounts of money for tables.

In: micros or units. Out: text with thousands separators and at least two decimals.
"""

from __future__ import annotations

from decimal import Decimal


def amount(micros: int | None) -> str:
    """Return micros as text in units: 12340000 -> "12.34"; "not stated" for None."""
    return "not stated" if micros is None else units(Decimal(micros) / 1_000_000)


def units(value: Decimal) -> str:
    """Return two decimals, or all if there are more: 1234.5 -> "1,234.50"."""
    whole, _, decimals = f"{value:,.6f}".partition(".")
    return f"{whole}.{decimals.rstrip('0'):0<2}"
