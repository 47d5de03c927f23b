"""What a delivery says, and the texts that rows of input contracts are made of.

In: values as vendors send them. Out: values as ingestion/files/contracts.py wants them, personal data hashed.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from ingestion.collector.problems import Refused

Moment = Annotated[datetime, Meta(tz=True)]


class Report(NamedTuple):
    """A row of a kind of ingestion/files/contracts.py; or, where a delivery says nothing that counts, why."""

    kind: str
    row: dict[str, Any] | None = None
    ignored: str | None = None


def secret_of(variable: str, who: str) -> bytes:
    """The secret in an environment variable, or a 503 that names the variable."""
    value = os.environ.get(variable)
    if not value:
        raise Refused(
            503, "No secret", f"{who} cannot be verified: set {variable} in the collector's environment and restart it"
        )
    return value.encode()


def missing(detail: str) -> Refused:
    return Refused(404, "Not found", detail)


def decoded(body: bytes, shape: type[Any], hint: str = "send the payload as its vendor documents it") -> Any:
    """The body as `shape`, or a 400 that says which member is wrong."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "Not the expected JSON", f"{error}: {hint}") from None


def money(amount: Decimal) -> str:
    """A plain decimal below 1e12, or Refused (400)."""
    if not amount.is_finite() or abs(amount) >= 10**12:
        raise Refused(400, "Not an amount", "an amount of money is below 1e12: nothing was kept")
    return format(amount, "f")


def row(**columns: Any) -> dict[str, Any]:
    """A row without its nulls."""
    return {name: value for name, value in columns.items() if value not in (None, "", {})}


def instant(moment: datetime | int | float) -> str:
    """ISO 8601 in UTC, of a zoned datetime or of Unix seconds; Refused (400) where there is no such moment."""
    try:
        moment = datetime.fromtimestamp(moment, UTC) if isinstance(moment, (int, float)) else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise Refused(400, "Not a time", f"{moment} is no time: nothing was kept") from None
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
