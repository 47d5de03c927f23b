"""Round exact amounts, as an oracle for the rounding in SQL.

In: fractions. Out: whole numbers.
"""

from __future__ import annotations

from fractions import Fraction


def rounded(number: Fraction) -> int:
    """Round to the nearest whole number, half away from zero."""
    size = int((abs(number) * 2 + 1) // 2)
    return size if number >= 0 else -size
