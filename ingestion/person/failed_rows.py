"""Redact the quarantined rows that name a person.

In: the temporary table `replacements` (anonymise.py). Out: SQL conditions, and raw.failed_events without the person.
A quarantined row is text: its payload is removed, its reason and its id stay. The same bad row, imported again, then
adds nothing.
"""

from __future__ import annotations

import re

from ingestion.person.anonymise import IDENTIFIERS, read_replacements
from ingestion.person.ownership import Person
from ingestion.person.pseudonyms import is_distinctive
from ingestion.sql import Connection, literal, scalar

ERASED = '{"erased": true}'
_DETAIL = "erased at the request of its person"


def names_person_sql(connection: Connection, text: str) -> str:
    """Return SQL: whether the text (SQL) has an identifier as a separate word or as the value of an id member."""
    values = {each.value for each in read_replacements(connection) if each.kind in IDENTIFIERS and each.is_exclusive}
    if not values:
        return "false"
    likely = " or ".join(f"contains({text}, {literal(value)})" for value in sorted(values))
    words, members = (
        "|".join(re.escape(value) for value in sorted(values) if is_distinctive(value) is distinctive) or "$^"
        for distinctive in (True, False)
    )
    pattern = (
        rf"(?:^|[^0-9A-Za-z_-])(?:{words})(?:$|[^0-9A-Za-z_-])"
        rf'|"\w*(?i:anon|visitor|user|customer|order)\w*\\*"\s*:\s*\\*"?(?:{members})\\*"?\s*[,}}]'
    )
    return f"coalesce(({likely}) and regexp_matches({text}, {literal(pattern)}), false)"


def count_failed_rows(connection: Connection, person: Person) -> int:
    """Return how many quarantined rows name the person."""
    query = f"select count(*) from raw.failed_events where {_names_person(connection, person)}"
    return int(scalar(connection, query))


def select_failed_rows(connection: Connection, person: Person) -> Connection:
    """Return the quarantined rows that name the person, as a result to fetch."""
    columns = "kind, org_id, source, reason, detail, payload, user_agent, ip_hash, received_at"
    return connection.execute(f"select {columns} from raw.failed_events where {_names_person(connection, person)}")


def redact_failed_rows(connection: Connection, person: Person, where: str = "true") -> None:
    """Redact the quarantined rows that name the person. where: SQL that limits them."""
    connection.execute(
        f"update raw.failed_events set payload = {literal(ERASED)}, detail = {literal(_DETAIL)},"
        f" user_agent = null, ip_hash = null where {where} and {_names_person(connection, person)}"
    )


def redacted_failures_sql(connection: Connection, failed: str) -> str:
    """Return SQL of a receipt's JSON list of failed rows (segments/format.py) with those of the person redacted."""
    shape = '[{"layer": "varchar", "reason": "varchar", "detail": "varchar", "payload": "varchar"}]'
    names_person = names_person_sql(connection, "one.payload")
    redacted = (
        "{'layer': one.layer, 'reason': one.reason,"
        f" 'detail': case when {names_person} then {literal(_DETAIL)} else one.detail end,"
        f" 'payload': case when {names_person} then {literal(ERASED)} else one.payload end}}"
    )
    rows = f"list_transform(from_json({failed}, {literal(shape)}), lambda one: {redacted})"
    return f"case when {names_person_sql(connection, f'{failed}::varchar')} then to_json({rows}) else {failed} end"


def _names_person(connection: Connection, person: Person) -> str:
    in_org = f"(org_id = {literal(person.org)} or org_id is null)"
    text = "(payload || ' ' || detail)"
    return f"{in_org} and {names_person_sql(connection, text)}"
