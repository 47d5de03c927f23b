"""Failed rows are text: where a person's identifiers stand in one, its payload goes; reason and count stay.

In: the temporary table `replacements` (anonymise.py). Out: SQL conditions, and raw.failed_events without the
person. The row's id stays, so that the same bad row, imported again, adds nothing.
"""

from __future__ import annotations

import re

from ingestion.person.anonymise import IDENTIFIERS, replacements
from ingestion.person.pseudonyms import is_distinctive
from ingestion.person.rows import Person
from ingestion.sql import Connection, literal

ERASED = '{"erased": true}'
_DETAIL = "erased at the request of its person"


def names_person(connection: Connection, text: str) -> str:
    """SQL: whether the text (SQL) holds an identifier: one that stands alone, or as a member named like an id."""
    values = {each.value for each in replacements(connection) if each.kind in IDENTIFIERS and each.is_theirs}
    if not values:
        return "false"
    likely = " or ".join(f"contains({text}, {literal(value)})" for value in sorted(values))
    alone, member = (
        "|".join(re.escape(value) for value in sorted(values) if is_distinctive(value) is distinctive) or "$^"
        for distinctive in (True, False)
    )
    pattern = (
        rf"(?:^|[^0-9A-Za-z_-])(?:{alone})(?:$|[^0-9A-Za-z_-])"
        rf'|"\w*(?i:anon|visitor|user|customer|order)\w*\\*"\s*:\s*\\*"?(?:{member})\\*"?\s*[,}}]'
    )
    return f"coalesce(({likely}) and regexp_matches({text}, {literal(pattern)}), false)"


def count_failed(connection: Connection, person: Person, where: str = "true") -> int:
    """How many failed rows name the person."""
    query = f"select count(*) from raw.failed_events where {where} and {_theirs(connection, person)}"
    return connection.execute(query).fetchone()[0]


def failed_payloads(connection: Connection, person: Person) -> Connection:
    """The failed rows that name the person, as a result to fetch."""
    columns = "kind, org_id, source, reason, detail, payload, user_agent, ip_hash, received_at"
    return connection.execute(f"select {columns} from raw.failed_events where {_theirs(connection, person)}")


def erase_failed(connection: Connection, person: Person, where: str = "true") -> None:
    """Empty the failed rows that name the person."""
    connection.execute(
        f"update raw.failed_events set payload = {literal(ERASED)}, detail = {literal(_DETAIL)},"
        f" user_agent = null, ip_hash = null where {where} and {_theirs(connection, person)}"
    )


def without_payload(connection: Connection, failed: str) -> str:
    """SQL for a JSON list of failed rows (ingestion/segments/format.py) in which those of the person are empty."""
    shape = '[{"layer": "varchar", "reason": "varchar", "detail": "varchar", "payload": "varchar"}]'
    emptied = (
        "{'layer': one.layer, 'reason': one.reason,"
        f" 'detail': case when _theirs then {literal(_DETAIL)} else one.detail end,"
        f" 'payload': case when _theirs then {literal(ERASED)} else one.payload end}}"
    ).replace("_theirs", names_person(connection, "one.payload"))
    listed = f"list_transform(from_json({failed}, {literal(shape)}), lambda one: {emptied})"
    return f"case when {names_person(connection, f'{failed}::varchar')} then to_json({listed}) else {failed} end"


def _theirs(connection: Connection, person: Person) -> str:
    of_org = f"(org_id = {literal(person.org)} or org_id is null)"
    text = "payload || ' ' || detail"
    return f"{of_org} and {names_person(connection, f'({text})')}"
