"""What a delivery says, and the texts that rows of input contracts are made of.

In: values as vendors send them. Out: values as ingestion/contracts.py wants them, personal data hashed.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from ingestion.collector.problems import Refused


class Report(NamedTuple):
    """A row of a kind of ingestion/contracts.py; or, where a delivery says nothing that counts, why."""

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


def row(**columns: Any) -> dict[str, Any]:
    """A row without its nulls."""
    return {name: value for name, value in columns.items() if value not in (None, "", {})}


def instant(moment: datetime | int | float) -> str:
    """ISO 8601 in UTC, of a zoned datetime or of Unix seconds."""
    moment = datetime.fromtimestamp(moment, UTC) if isinstance(moment, (int, float)) else moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
