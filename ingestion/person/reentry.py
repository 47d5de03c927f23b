"""Anonymise rows of erased persons that are loaded again.

In: raw.erased_identifiers (hashes and pseudonyms), and rows that were just loaded or archived. Out: the same rows with
the pseudonyms of the erasure. If nobody was ever erased, it reads one empty table.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ingestion.files.contracts import CONTRACTS
from ingestion.home import Home
from ingestion.person.anonymise import IDENTIFIERS, KINDS, Replacement, collect_replacements, create_replacements
from ingestion.person.failed_rows import redact_failed_rows
from ingestion.person.ownership import Person, Relation, Window, create_person_tables, raw_relations
from ingestion.person.rewrite import parquet_relation, rewrite_file, update_table
from ingestion.sql import Connection, literal, quoted, scalar

_SHARED = "shared"  # the kind of a visitor that is another person, too
_UNLIMITED = datetime(2199, 12, 31)


def identifier_hash_sql(org: str, kind: str, value: str) -> str:
    """Return SQL of the hash of an identifier in raw.erased_identifiers. org, kind and value are SQL."""
    return f"sha256({org} || chr(10) || {kind} || chr(10) || {value})"


def remember_identifiers(connection: Connection, person: Person) -> None:
    """Store the hashes of the person's identifiers. An order has no time limit: a late refund can name it."""
    hashed = identifier_hash_sql(literal(person.org), "old_kind", "old_value")
    until = f"case when old_kind = 'order' then {literal(_UNLIMITED)} else {literal(person.until)} end"
    connection.execute(
        f"""
        insert into raw.erased_identifiers by name
        select {hashed} as identifier_hash, new_value as pseudonym, ({until})::timestamp as until
        from temp.replacements
        where is_exclusive and old_kind in ('visitor', 'customer', 'email', 'order', 'session')
        """
    )
    for window in person.windows:
        if window.visitor not in person.visitors:
            connection.execute(
                f"insert into raw.erased_identifiers by name"
                f" select {identifier_hash_sql(literal(person.org), literal(_SHARED), '$1')} as identifier_hash,"
                " coalesce($2, '1970-01-01'::timestamp) as since, coalesce($3, $4) as until, new_value as pseudonym"
                " from temp.replacements where old_kind = 'visitor' and old_value = $1",
                [window.visitor, window.after, window.until, person.until],
            )


def anonymise_loaded(connection: Connection, load_ids: list[str]) -> int:
    """Anonymise the rows of these loads, in the caller's transaction. Return how many were an erased person's."""
    if _nobody_is_erased(connection):
        return 0
    where = f"_load_id in ({', '.join(map(literal, load_ids))})"
    relations = [r for r in raw_relations(connection) if "_load_id" in r.columns]
    rows = 0
    for person, known in _erased_persons(connection, [(relation, where) for relation in relations], failed=where):
        create_person_tables(connection, person)
        create_replacements(connection, known)
        for relation in relations:
            collect_replacements(connection, relation, person, where)
            rows += update_table(connection, relation, person, where)
        redact_failed_rows(connection, person, where)
        _delete_repeated_rows(connection, where)
    return rows


def anonymise_archived(connection: Connection, home: Home, paths: list[Path]) -> None:
    """Anonymise files that were just written to the archive."""
    if _nobody_is_erased(connection):
        return
    for path in paths:
        relation = parquet_relation(connection, home, path)
        for person, known in _erased_persons(connection, [(relation, "true")]):
            create_person_tables(connection, person)
            create_replacements(connection, known)
            collect_replacements(connection, relation, person)
            rewrite_file(connection, home, path, person)


def _delete_repeated_rows(connection: Connection, where: str) -> None:
    """Delete new rows that, once anonymised, have the key of a stored row: both are the same row."""
    for contract in CONTRACTS.values():
        if contract.replaces:
            continue
        same = " and ".join(f"fresh.{column} is not distinct from old.{column}" for column in contract.key)
        repeated = connection.execute(
            f"select fresh.rowid, fresh._load_id from {contract.table} as fresh join {contract.table} as old on {same}"
            f" where fresh.{where} and not old.{where}"
        ).fetchall()
        for row, load in repeated:
            connection.execute(f"delete from {contract.table} where rowid = {row}")
            connection.execute(
                "update raw.loads set loaded_rows = loaded_rows - 1, duplicate_rows = duplicate_rows + 1"
                " where load_id = $1",
                [load],
            )


def _nobody_is_erased(connection: Connection) -> bool:
    return not scalar(connection, "select count(*) from raw.erased_identifiers")


def _erased_persons(
    connection: Connection, sources: list[tuple[Relation, str]], failed: str | None = None
) -> list[tuple[Person, list[Replacement]]]:
    """Return the erased persons that the rows name, with their pseudonyms, by org and erasure, the earliest first.

    sources: relations, each with SQL that selects rows. failed: SQL that selects quarantined rows.
    """
    queries = [
        f"select {_org_sql(relation)} as org, {literal(KINDS[column])} as kind, {quoted(column)}::varchar as value"
        f" from {relation.sql} as file where {where} and {quoted(column)} is not null"
        for relation, where in sources
        for column in relation.columns
        if KINDS.get(column) in (*IDENTIFIERS, "session")
    ]
    queries += [
        f"select {_org_sql(relation)} as org, 'order' as kind, unnest(string_split(payment_ids, ' ')) as value"
        f" from {relation.sql} as file where {where}"
        for relation, where in sources
        if "payment_ids" in relation.columns
    ]
    queries += [query.replace("'visitor' as kind", f"'{_SHARED}' as kind") for query in queries]
    if failed:
        words = "unnest(regexp_extract_all(payload, '[0-9A-Za-z_-]+'))"
        queries.append(
            f"select org, kind, value from (select org_id as org, {words} as value from raw.failed_events"
            f" where {failed})"
            f" cross join (select unnest({list(IDENTIFIERS)}) as kind)"
        )
    rows = connection.execute(
        f"""
        with named as (select distinct * from ({" union ".join(queries)}) where org is not null)
        select org, until, kind, value, since, min(pseudonym) from named
        join raw.erased_identifiers on identifier_hash = {identifier_hash_sql("org", "kind", "value")}
        group by all order by all
        """
    ).fetchall()
    erasures: dict[tuple[str, datetime], list[Replacement]] = {}
    shared: dict[tuple[str, datetime], list[Window]] = {}
    for org, until, kind, value, since, new in rows:
        replacements = erasures.setdefault((org, until), [])
        if kind == _SHARED:
            shared.setdefault((org, until), []).append(Window(visitor=value, after=since, until=until))
            replacements.append(Replacement(kind="visitor", value=value, new=new, is_exclusive=False))
        else:
            replacements.append(Replacement(kind=kind, value=value, new=new, is_exclusive=True))
    persons = []
    for (org, until), known in erasures.items():
        orders = [each for each in erasures.get((org, _UNLIMITED), []) if until != _UNLIMITED]
        values = {
            kind: [each.value for each in [*known, *orders] if each.kind == kind and each.is_exclusive]
            for kind in IDENTIFIERS
        }
        person = Person(
            org=org,
            customers=values["customer"],
            emails=values["email"],
            visitors=values["visitor"],
            windows=[*(Window(visitor=visitor) for visitor in values["visitor"]), *shared.get((org, until), [])],
            orders=values["order"],
            until=until,
        )
        persons.append((person, [*known, *orders]))
    return persons


def _org_sql(relation: Relation) -> str:
    if "org_id" in relation.columns:
        return "org_id"
    site = "(select any_value(org_id) from raw.sites where sites.site_id = file.site_id)"
    return site if "site_id" in relation.columns else "null"
