"""Convert amounts as platforms write them to integer micros, without floats.

In: text, integers, Decimals. Out: int.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext

Amount = str | int | Decimal


def units_to_micros(amount: Amount) -> int:
    """Return 12340000 for "12.34". Round half a micro to even. Raise ValueError for text that is not an amount."""
    return _shifted(amount, 6)


def cents_to_micros(amount: Amount) -> int:
    """Return 12340000 for 1234."""
    return _shifted(amount, 4)


def parse_micros(amount: Amount) -> int:
    """Return 12340000 for "12340000"."""
    return _shifted(amount, 0)


def _shifted(amount: Amount, digits: int) -> int:
    if isinstance(amount, float | bool):  # a float has lost digits already
        raise TypeError(f"{amount!r} is a {type(amount).__name__}: read it as a Decimal")
    try:
        with localcontext(prec=60):
            return int(Decimal(amount).scaleb(digits).to_integral_value(ROUND_HALF_EVEN))
    except (InvalidOperation, ValueError, OverflowError):
        raise ValueError(f"{amount!r} is not an amount") from None
