"""Turn values of vendors into texts of the input contracts.

In: values as vendors send them. Out: a Report. Its row has the columns of ingestion/files/contracts.py.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from ingestion.collector.problems import Problem

Moment = Annotated[datetime, Meta(tz=True)]
ABSENT = msgspec.Raw(b"null")
_T = TypeVar("_T")


class Report(NamedTuple):
    """Rows of a kind of ingestion/files/contracts.py; or why a delivery counts nothing."""

    kind: str
    row: dict[str, Any] | None = None
    ignored: str | None = None
    more: tuple[dict[str, Any], ...] = ()  # further rows, of deliveries that report several


def secrets_of(variable: str, owner: str) -> list[bytes]:
    """Return the secrets in an environment variable, or raise a Problem (503) that names the variable.

    While a sender changes its secret, the variable holds the new one and the old one, separated by a blank.
    """
    secrets = os.environ.get(variable, "").split()
    if not secrets:
        detail = f"{owner} cannot be verified. Set {variable} in the collector's environment and restart the collector"
        raise Problem(503, "No secret", detail)
    return [secret.encode() for secret in secrets]


def not_found(detail: str) -> Problem:
    return Problem(404, "Not found", detail)


def decoded(body: bytes, shape: type[_T], hint: str = "send the payload as its vendor documents it") -> _T:
    """Return the body as `shape`, or raise a Problem (400) that names the wrong member."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "Not the expected JSON", f"{error}: {hint}") from None


def member(raw: msgspec.Raw, shape: type[_T]) -> _T | None:
    """Return a member that a row can lack as `shape`, or None where it is absent or has another form."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def text(value: Any) -> str:
    """Return a text, or a whole number as a text, or else an empty text."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def texts(value: Any) -> dict[str, str]:
    """Return the members of an object that are texts or whole numbers."""
    return {name: found for name, each in value.items() if (found := text(each))} if isinstance(value, dict) else {}


def money(amount: Decimal) -> str:
    """Return a plain decimal below 1e12, or raise a Problem (400)."""
    if not amount.is_finite() or abs(amount) >= 10**12:
        raise Problem(400, "Not an amount", "An amount of money must be below 1e12. Nothing was stored")
    return format(amount, "f")


def row(**columns: Any) -> dict[str, Any]:
    """Return a row without its empty columns."""
    return {name: value for name, value in columns.items() if value not in (None, "", {})}


def instant(moment: datetime | int | float) -> str:
    """Return ISO 8601 in UTC of a zoned datetime or of Unix seconds, or raise a Problem (400)."""
    try:
        moment = datetime.fromtimestamp(moment, UTC) if isinstance(moment, (int, float)) else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise Problem(400, "Not a time", f"{moment} is not a time. Nothing was stored") from None
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
