"""List the failed rows by reason with the remedy of each, and dismiss those that need none.

In: raw.failed_events; the caller holds the build lock. Out: counts and examples; raw.failed_events without dismissed
rows, and raw.dismissed_rows with their counts.
"""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import NamedTuple

from ingestion.files.contracts import ContractError
from ingestion.sql import Connection, literal, scalar, transaction
from ingestion.text import nearest

_SEEN_AT = "coalesce(received_at, _loaded_at)"
_PLACE = "source || coalesce(', line ' || line, '')"
_NUMBER = "Correct the column in the file"
_SETTINGS = "Add it to tributary.yaml, then run: tributary replay failed --reason {reason}"
_SENDER = "Correct the page or the server that sends it"
_LINE = "Correct the line in the file, and import the whole file again under its name"

# What to do about each reason, as a phrase. {reason} is the reason.
_REMEDIES = {
    "ambiguous_key": "Import the file with --sum if the rows are parts, or add the id that distinguishes them",
    "bad_basis": _NUMBER,
    "bad_count": _NUMBER,
    "bad_currency": "Correct the code, or give it: --set currency=EUR",
    "bad_date": "Write days as 2026-07-01, or import with --dayfirst or --no-dayfirst",
    "bad_encoding": "Save the file as UTF-8, and import it again under its name",
    "bad_json": _LINE,
    "bad_level": "Correct the level, or remove the ids below it",
    "bad_money": "Write decimals with a point, or import with --decimal point or --decimal comma",
    "bad_number": _NUMBER,
    "bad_period": "Correct the first and the last day",
    "bad_properties": "Write properties as a JSON object",
    "bad_property": _SENDER,
    "bad_quoting": _LINE,
    "bad_rate": _NUMBER,
    "bad_status": "Map other words to pending, approved and rejected before the import",
    "bad_timestamp": "Write times as 2026-07-01T09:30:00Z, or map another column: --map occurred_at=COLUMN",
    "bad_value": _SENDER,
    "future_date": "Correct the date, or the order of day and month: --dayfirst or --no-dayfirst",
    "future_timestamp": "Correct the time, or the zone of the export: --timezone ZONE",
    "id_conflict": "Correct the id at its source, and import or send the row again",
    "incomplete_entity": _SENDER,
    "long_name": _SENDER,
    "long_text": _SENDER,
    "missing_person": "Map the column of the visitor, customer or order: --map customer_id=COLUMN",
    "missing_property": _SENDER,
    "missing_timezone": "Import the file again with --timezone ZONE, such as Europe/Berlin",
    "missing_value": "Fill the column, map another one with --map, or give a constant: --set column=value",
    "org_mismatch": "Import with --org of the declared org, or correct tributary.yaml and replay the rows",
    "other_site": _SENDER,
    "period_row": "Export the report by day, or import the file with --spread",
    "placeholder_id": "Correct the source that sends no real id, and export it again",
    "rounded_id": "Export the file again, and format the column as text before a spreadsheet reads it",
    "second_currency": "Correct the currency, or import all rows of the campaign's day together",
    "too_deep": _SENDER,
    "too_large": _SENDER,
    "too_long": _LINE,
    "too_many_values": _SENDER,
    "too_old": "Import old events from a file: tributary import events FILE",
    "torn_line": "Nothing: the collector stopped while it wrote the line, and did not acknowledge it. Dismiss it",
    "unexpected_value": "Leave the rows out with --where, or import them with --map if they count",
    "unknown_org": "Import with --org, or declare the site or ad account. " + _SETTINGS,
    "unknown_sample": _SENDER,
    "unknown_site": _SETTINGS,
    "unknown_type": "Correct the type, or declare it under event_types. " + _SETTINGS,
    "unloadable_line": "Update Tributary if another version wrote the line. Otherwise dismiss it",
    "wrong_column_count": _LINE,
    "wrong_type": _SENDER,
}


class FailedRows(NamedTuple):
    """The failed rows of one kind and reason, and one of them. Times are UTC."""

    kind: str
    reason: str
    rows: int
    first_seen: datetime
    last_seen: datetime
    example: str  # the file and line, and a sentence


class FailedRow(NamedTuple):
    """One failed row. place: its file and line."""

    kind: str
    place: str
    detail: str
    payload: str  # without personal data


def remedy(reason: str) -> str:
    """Return the sentence that says what to do about failed rows of this reason."""
    return (
        _REMEDIES.get(reason, "Correct the rows at their source, and import or send them again").format(reason=reason)
        + "."
    )


def chosen_rows(*, reason: str | None = None, kind: str | None = None, since: date | None = None) -> str:
    """Return SQL over raw.failed_events. since: the first day (UTC) on which the rows were received."""
    conditions = [f"reason = {literal(reason)}"] if reason else []
    conditions += [f"kind = {literal(kind)}"] if kind else []
    conditions += [f"{_SEEN_AT} >= {literal(since)}::timestamp"] if since else []
    return " and ".join(conditions) or "true"


def count_failed(connection: Connection, chosen: str = "true") -> list[FailedRows]:
    """Return the counts of failed rows by kind and reason, the most frequent first. chosen: SQL of chosen_rows."""
    rows = connection.execute(
        f"""
        select kind, reason, count(*), min({_SEEN_AT}), max({_SEEN_AT}),
            arg_min({_PLACE} || ': ' || detail, failed_id)
        from raw.failed_events where {chosen}
        group by kind, reason
        order by count(*) desc, kind, reason
        """
    ).fetchall()
    return [FailedRows(*row) for row in rows]


def list_failed(connection: Connection, chosen: str, limit: int) -> list[FailedRow]:
    """Return at most `limit` failed rows by kind, file and line. chosen: SQL of chosen_rows."""
    rows = connection.execute(
        f"select kind, {_PLACE}, detail, payload from raw.failed_events where {chosen}"
        f" order by kind, source, line, failed_id limit {limit}"
    ).fetchall()
    return [FailedRow(*row) for row in rows]


def check_reason(connection: Connection, option: str, reason: str) -> None:
    """Raise ContractError if no row can have the reason."""
    present = {name for (name,) in connection.execute("select distinct reason from raw.failed_events").fetchall()}
    if reason not in present | _REMEDIES.keys():
        close = nearest(reason, sorted(present)) or nearest(reason, _REMEDIES)
        listed = f"Use one of {', '.join(sorted(present))}." if present else "No row has failed."
        advice = f"Do you mean {close}?" if close else listed
        raise ContractError(f"{option} {reason}: no row fails for this reason. {advice}")


def dismiss_failed(connection: Connection, chosen: str, *, dry_run: bool = False) -> int:
    """Delete the chosen rows, record their counts in raw.dismissed_rows, and return their number."""
    if dry_run:
        return int(scalar(connection, f"select count(*) from raw.failed_events where {chosen}"))
    with transaction(connection):
        connection.execute(
            f"""
            insert into raw.dismissed_rows
            select $1, $2, kind, org_id, reason, count(*), min({_SEEN_AT}), max({_SEEN_AT})
            from raw.failed_events where {chosen} group by kind, org_id, reason
            """,
            [uuid.uuid4().hex, datetime.now(UTC).replace(tzinfo=None)],
        )
        return int(scalar(connection, f"delete from raw.failed_events where {chosen}"))
