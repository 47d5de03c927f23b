"""What was erased does not come back: old rows that name an erased person lose the person as they are loaded.

In: raw.erased_identifiers (hashes and pseudonyms), and rows that were just loaded or archived. Out: the same rows under
the pseudonyms of the erasure. It costs one look at an empty table where nobody was ever erased.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ingestion.files.contracts import CONTRACTS
from ingestion.home import Home
from ingestion.person.anonymise import IDENTIFIERS, KINDS, Replacement, learn, start
from ingestion.person.failed_rows import erase_failed
from ingestion.person.rewrite import parquet, rewrite, update
from ingestion.person.rows import Person, Relation, Window, hold, raw_relations
from ingestion.sql import Connection, literal, quoted

_SHARED = "shared"  # the kind of a visitor who is somebody else, too
_FOR_EVER = datetime(2199, 12, 31)


def identifier_hash(org: str, kind: str, value: str) -> str:
    """SQL of the hash under which an identifier is remembered; org, kind and value are SQL."""
    return f"sha256({org} || chr(10) || {kind} || chr(10) || {value})"


def remember(connection: Connection, person: Person) -> None:
    """Keep the hashes of what must not come back. An order's id comes back with a late refund: it has no end."""
    hashed = identifier_hash(literal(person.org), "old_kind", "old_value")
    until = f"case when old_kind = 'order' then {literal(_FOR_EVER)} else {literal(person.until)} end"
    connection.execute(
        f"""
        insert into raw.erased_identifiers by name
        select {hashed} as identifier_hash, new_value as pseudonym, ({until})::timestamp as until
        from temp.replacements
        where is_theirs and old_kind in ('visitor', 'customer', 'email', 'order', 'session')
        """
    )
    for window in person.windows:
        if window.visitor not in person.visitors:
            connection.execute(
                f"insert into raw.erased_identifiers by name"
                f" select {identifier_hash(literal(person.org), literal(_SHARED), '$1')} as identifier_hash,"
                " coalesce($2, '1970-01-01'::timestamp) as since, coalesce($3, $4) as until, new_value as pseudonym"
                " from temp.replacements where old_kind = 'visitor' and old_value = $1",
                [window.visitor, window.after, window.until, person.until],
            )


def anonymise_loaded(connection: Connection, load_ids: list[str]) -> int:
    """Take erased persons out of the rows of these loads, in the caller's transaction; how many rows were theirs."""
    if _nobody(connection):
        return 0
    where = f"_load_id in ({', '.join(map(literal, load_ids))})"
    relations = [r for r in raw_relations(connection) if "_load_id" in r.columns]
    rows = 0
    for person, known in _erased(connection, [(relation, where) for relation in relations], failed=where):
        hold(connection, person)
        start(connection, known)
        for relation in relations:
            learn(connection, relation, person, where)
            rows += update(connection, relation, person, where)
        erase_failed(connection, person, where)
        _drop_repeats(connection, where)
    return rows


def _drop_repeats(connection: Connection, where: str) -> None:
    """Rows whose key, without the person, is that of a row which was there: the same thing in other words."""
    for contract in CONTRACTS.values():
        if contract.replaces:
            continue
        same = " and ".join(f"fresh.{column} is not distinct from old.{column}" for column in contract.key)
        repeats = connection.execute(
            f"select fresh.rowid, fresh._load_id from {contract.table} as fresh join {contract.table} as old on {same}"
            f" where fresh.{where} and not old.{where}"
        ).fetchall()
        for row, load in repeats:
            connection.execute(f"delete from {contract.table} where rowid = {row}")
            connection.execute(
                "update raw.loads set loaded_rows = loaded_rows - 1, duplicate_rows = duplicate_rows + 1"
                " where load_id = $1",
                [load],
            )


def anonymise_archived(connection: Connection, home: Home, paths: list[Path]) -> None:
    """The same for files that were just written to the archive."""
    if _nobody(connection):
        return
    for path in paths:
        relation = parquet(connection, home, path)
        for person, known in _erased(connection, [(relation, "true")]):
            hold(connection, person)
            start(connection, known)
            learn(connection, relation, person)
            rewrite(connection, home, path, person)


def _nobody(connection: Connection) -> bool:
    return connection.execute("select count(*) from raw.erased_identifiers").fetchone() == (0,)


def _erased(
    connection: Connection, sources: list[tuple[Relation, str]], failed: str | None = None
) -> list[tuple[Person, list[Replacement]]]:
    """Whom of the erased the rows name: by org and erasure, the earliest first, with their pseudonyms.

    sources: relations and SQL of which of their rows; failed: SQL of which failed rows.
    """
    queries = [
        f"select {_org(relation)} as org, {literal(KINDS[column])} as kind, {quoted(column)}::varchar as value"
        f" from {relation.sql} as file where {where} and {quoted(column)} is not null"
        for relation, where in sources
        for column in relation.columns
        if KINDS.get(column) in (*IDENTIFIERS, "session")
    ]
    queries += [query.replace("'visitor' as kind", f"'{_SHARED}' as kind") for query in queries]
    if failed:
        words = "unnest(regexp_extract_all(payload, '[0-9A-Za-z_-]+'))"
        queries.append(
            f"select org, kind, value from (select org_id as org, {words} as value from raw.failed_events"
            f" where {failed})"
            f" cross join (select unnest({list(IDENTIFIERS)}) as kind)"
        )
    found = connection.execute(
        f"""
        with named as (select distinct * from ({" union ".join(queries)}) where org is not null)
        select org, until, kind, value, since, min(pseudonym) from named
        join raw.erased_identifiers on identifier_hash = {identifier_hash("org", "kind", "value")}
        group by all order by all
        """
    ).fetchall()
    erasures: dict[tuple[str, datetime], list[Replacement]] = {}
    shares: dict[tuple[str, datetime], list[Window]] = {}
    for org, until, kind, value, since, new in found:
        mine = erasures.setdefault((org, until), [])
        if kind == _SHARED:
            shares.setdefault((org, until), []).append(Window(value, since, until))
            mine.append(Replacement("visitor", value, new, False))
        else:
            mine.append(Replacement(kind, value, new, True))
    persons = []
    for (org, until), known in erasures.items():
        orders = [each for each in erasures.get((org, _FOR_EVER), []) if until != _FOR_EVER]
        named = {
            kind: [each.value for each in [*known, *orders] if each.kind == kind and each.is_theirs]
            for kind in IDENTIFIERS
        }
        windows = [*(Window(visitor) for visitor in named["visitor"]), *shares.get((org, until), [])]
        person = Person(org, named["customer"], named["email"], named["visitor"], windows, named["order"], until)
        persons.append((person, [*known, *orders]))
    return persons


def _org(relation: Relation) -> str:
    if "org_id" in relation.columns:
        return "org_id"
    site = "(select any_value(org_id) from raw.sites where sites.site_id = file.site_id)"
    return site if "site_id" in relation.columns else "null"
