"""Amounts as platforms write them -> integer micros, without floats. In: text, integers, Decimals. Out: int."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext

Number = str | int | Decimal


def from_units(amount: Number) -> int:
    """ "12.34" -> 12340000. What is finer than a micro is rounded half to even; ValueError for what is no amount."""
    return _whole(amount, 6)


def from_cents(amount: Number) -> int:
    """1234 -> 12340000."""
    return _whole(amount, 4)


def from_micros(amount: Number) -> int:
    """ "12340000" -> 12340000."""
    return _whole(amount, 0)


def _whole(amount: Number, shift: int) -> int:
    if isinstance(amount, float | bool):  # a float has lost digits already
        raise TypeError(f"{amount!r} is a {type(amount).__name__}: read it as a Decimal")
    try:
        with localcontext(prec=60):
            return int(Decimal(amount).scaleb(shift).to_integral_value(ROUND_HALF_EVEN))
    except (InvalidOperation, ValueError, OverflowError):
        raise ValueError(f"{amount!r} is not an amount") from None
