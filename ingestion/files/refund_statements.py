"""Find the columns of a file that state how much of an order a refund returns.

In: the columns of a file. Out: SQL of two conditions: the row states that the whole order, or a part, goes back.

Shops leave the refunded amount blank in the rows of orders without a refund. So a blank amount means a refund only
where another column states it.
"""

from __future__ import annotations

from collections.abc import Mapping

from ingestion.sql import quoted

# Headers in lower case, without anything but letters.
_STATUSES = ("status", "orderstatus", "financialstatus", "paymentstatus", "refundstatus")
_FLAGS = ("refunded", "isrefunded", "fullyrefunded", "isfullyrefunded", "fullrefund", "isfullrefund")
_WHOLE = "('refunded', 'fully refunded', 'full refund', 'full')"
_CANCELLED = "('cancelled', 'canceled')"
_PARTIAL = "('partially refunded', 'partial refund', 'partial', 'partly refunded')"
_TRUE = "('true', 't', 'yes', 'y', '1')"

REFUND_AMOUNTS = ("value", "refunded_total")  # columns of the contract, of which a refund has one


def refund_statements(kind: str, texts: Mapping[str, str], columns: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return SQL of whether a row refunds a whole order, and of whether it refunds a part; None: nothing can state it.

    texts: contract column -> SQL. columns: header in lower case -> header.
    """
    if kind == "events":  # only a REFUND has an amount that goes back
        return f"(upper({texts['type']}) is distinct from 'REFUND')" if "type" in texts else None, None
    if kind != "refunds":
        return None, None
    words = {name: "".join(filter(str.isalpha, name)) for name in columns}
    statuses = [_words(quoted(columns[name])) for name, letters in words.items() if letters in _STATUSES]
    flags = [f"lower(trim({quoted(columns[name])})) in {_TRUE}" for name, letters in words.items() if letters in _FLAGS]
    reason = [f"{_words(texts['reason'])} in {_CANCELLED}"] if "reason" in texts else []
    statuses += [_words(texts["reason"])] if "reason" in texts else []
    whole = [*flags, *reason, *(f"{status} in {_WHOLE}" for status in statuses)]
    partial = [f"{status} in {_PARTIAL}" for status in statuses]
    return _any(whole), _any(partial) if partial else None


def _words(text: str) -> str:
    return f"trim(regexp_replace(lower({text}), '[^a-z]+', ' ', 'g'))"


def _any(conditions: list[str]) -> str:
    return " or ".join(f"coalesce({condition}, false)" for condition in conditions) or "false"
