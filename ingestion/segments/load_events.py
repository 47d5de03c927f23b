"""Load the events of segments into raw.events, in the caller's transaction: append all rows, then deduplicate.

In: segments. Out: rows in raw.events with their segment's name as _load_id, and counts of the rows removed.

Almost all events that a collector acknowledged are new, so that appending first needs neither memory nor a second copy.
The content of an event is what its client sent, by the formula of a file's row (files/content_hash.py). It includes
nothing that the collector added: not the address, the user agent, nor a generated time or visitor id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from glob import escape
from pathlib import Path

from ingestion.files.content_hash import content_hash, placeholders_sql, sorted_members
from ingestion.files.contracts import CONTRACTS
from ingestion.files.id_spellings import id_sql
from ingestion.files.quarantine import quarantine_stored_rows
from ingestion.settings.model import Settings
from ingestion.sql import Connection, literal

CONTRACT = CONTRACTS["events"]

_TEXTS = (
    "event_id", "type", "occurred_at", "anon_id", "session_id", "user_id", "url", "path", "title", "referrer",
    "currency", "order_id", "conversion_type", "email_hash", "phone_hash", "entity_type", "entity_id",
    "source", "medium", "campaign", "campaign_id", "content", "term", "click_ids", "channel",
)  # fmt: skip
_ROW = dict.fromkeys(_TEXTS, "varchar") | {
    "value_micros": "bigint",
    "consent": "boolean",
    "sample_percent": "integer",
    "is_replay": "boolean",
    "has_own_id": "boolean",
    "properties": "json",
}
_RECEIPT = dict.fromkeys(("kind", "at", "org", "site", "ip", "ua"), "varchar")
_IDS = ("anon_id", "session_id", "user_id", "order_id", "campaign_id")  # may arrive as placeholders
_KEY = f"hash({', '.join(CONTRACT.key)})"


def receipts(paths: Sequence[Path], columns: dict[str, str]) -> str:
    """Return an SQL relation of the receipts of segments: their columns, `segment`, and `columns` (name -> type)."""
    files = ", ".join(literal(escape(str(path))) for path in paths)
    read = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in (_RECEIPT | columns).items())
    return (
        f"(select *, parse_filename(filename, true) as segment from read_json([{files}],"
        f" format = 'newline_delimited', hive_partitioning = false, filename = true, columns = {{{read}}}))"
    )


def append(connection: Connection, paths: Sequence[Path], settings: Settings, loaded_at: str) -> dict[str, int]:
    """Append every event of the segments. Returns the rows by segment. loaded_at: SQL of the time of the load."""
    row = ", ".join(f"{name} {kind}" for name, kind in _ROW.items())
    properties = f"case when properties is not null then {sorted_members('properties')} end"
    values = {column.stored: column.stored for column in CONTRACT.columns}
    spelled = {name: id_sql(name) for name in _IDS}
    values |= {"occurred_at": "occurred_at::timestamp", "user_agent": "null"} | spelled
    cookieless = ", ".join(literal(site.id) for site in settings.sites if site.cookieless)
    if cookieless:
        values["anon_id"] = f"case when site_id not in ({cookieless}) then {spelled['anon_id']} end"
    content = content_hash({"org_id": "org_id"} | values | {"properties": "properties"}, CONTRACT)
    arrived = ", ".join(f"{name} as arrived_{name}" for name in _IDS)
    read = {name: f"real_id({text})" for name, text in spelled.items()}
    read |= {name: f"ascii_address({name})" for name in ("url", "referrer")}
    stored = ", ".join(f"{text} as {name}" for name, text in read.items())
    connection.execute("set preserve_insertion_order = false")  # halves the memory of a large insert, and its time
    connection.execute(
        f"""
        insert into raw.events by name
        with landed as not materialized (
            select org as org_id, site as site_id, ua as user_agent, ip as ip_hash, "at"::timestamp as received_at,
                segment, unnest(rows, recursive := true)
            from {receipts(paths, {"rows": f"struct({row})[]"})} where kind = 'events'
        ),
        canonical as not materialized (select * replace ({properties} as properties) from landed),
        hashed as not materialized (
            select *, {content} as _content_hash, {arrived} from canonical
        ),
        identified as not materialized (select * replace ({stored}) from hashed)
        select * exclude (segment, {", ".join(f"arrived_{name}" for name in _IDS)}) replace (
                coalesce(occurred_at::timestamp, received_at) as occurred_at,
                coalesce(has_own_id, true) as has_own_id
            ),
            {placeholders_sql({name: f"arrived_{name}" for name in _IDS})} as _placeholder_ids,
            segment as _load_id, {loaded_at} as _loaded_at
        from identified
        """
    )
    connection.execute("reset preserve_insertion_order")
    return dict(
        connection.execute(f"select _load_id, count(*) from raw.events where {fresh(paths)} group by all").fetchall()
    )


def fresh(paths: Sequence[Path]) -> str:
    """Return the SQL condition of the rows that these segments added."""
    return f"_load_id in ({', '.join(literal(path.stem) for path in paths)})"


def deduplicate(connection: Connection, paths: Sequence[Path], stamp: str) -> Counter[tuple[str, str]]:
    """Keep the first event of each key. Returns (segment, duplicate | id_conflict | replaced) -> rows.

    The first is the smallest (occurred_at, content) and, of one content, the row that was received first, whatever the
    order of the loads. A row of a file, which has no time of receipt, gives way. Archived rows always stay.

    stamp: SQL of _load_id and _loaded_at.
    """
    is_fresh, key = fresh(paths), ", ".join(CONTRACT.key)
    # Compare 64-bit hashes of keys, so that the wide columns of a large table are read only for the keys that repeat.
    connection.execute(f"create temp table fresh_keys as select {_KEY} as key from raw.events where {is_fresh}")
    connection.execute(
        f"""
        create temp table repeated as
        select key from fresh_keys group by key having count(*) > 1
        union
        select {_KEY} from raw.events where not {is_fresh} and {_KEY} in (select key from fresh_keys)
        union
        select {_KEY} from {CONTRACT.retired} where {_KEY} in (select key from fresh_keys)
        """
    )
    connection.execute("drop table fresh_keys")
    connection.execute(
        f"""
        create temp table ranked as
        with contested as (
            select rowid as _id, {key}, occurred_at, received_at, _content_hash, _load_id, {is_fresh} as is_fresh,
                false as is_retired,
                hash(anon_id, user_agent, ip_hash, consent, sample_percent, is_replay, has_own_id) as beside_content
            from raw.events where {_KEY} in (select key from repeated)
            union all by name
            select {key}, _content_hash, false as is_fresh, true as is_retired
            from {CONTRACT.retired} where {_KEY} in (select key from repeated)
        ),
        ordered as (
            select *, row_number() over first_wins as place, first_value(_content_hash) over first_wins as kept,
                first_value(_load_id) over first_wins as kept_load_id
            from contested
            window first_wins as (
                partition by {key}
                order by is_retired desc, occurred_at, _content_hash, received_at nulls last, beside_content,
                    is_fresh, _id
            )
        )
        select _id, _load_id, kept_load_id, is_fresh,
            if(_content_hash = kept, 'duplicate', 'id_conflict') as outcome
        from ordered where place > 1 and not is_retired
        """
    )
    found = connection.execute(
        """
        select _load_id, outcome, count(*) from ranked where is_fresh group by all
        union all  -- stored rows that give way to a row with the same content that was received earlier
        select kept_load_id, 'replaced', count(*) from ranked where not is_fresh and outcome = 'duplicate' group by all
        """
    ).fetchall()
    if found or connection.execute("select count(*) from ranked").fetchone() != (0,):
        conflicts = "select _id from ranked where outcome = 'id_conflict'"
        quarantine_stored_rows(connection, "events", CONTRACT, conflicts, stamp)
        connection.execute("delete from raw.events where rowid in (select _id from ranked)")
        # A content without a time may have lost as a later repetition, and wins now that its first sending is loaded.
        connection.execute(
            f"delete from raw.failed_events where reason = 'id_conflict' and failed_id in (select"
            f" md5('events' || org_id || _content_hash) from raw.events where {_KEY} in (select key from repeated))"
        )
    connection.execute("drop table ranked; drop table repeated")
    return Counter({(segment, outcome): rows for segment, outcome, rows in found})
