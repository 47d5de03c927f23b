"""Whose rows are whose: a Person -> SQL that tells the person's rows in any table or file.

In: a Person (find.py), which `hold` puts into temporary tables. Out: `own`, the condition on a
relation's columns by which a row is that person's.

A row belongs to whom it names: its customer, else its e-mail address. A row that names nobody belongs to whoever is
known on its visitor: on a shared device to the one who is named next, after the last one to the last, as in the marts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from ingestion.sql import Connection, literal, quoted

Kind = Literal["email", "visitor", "customer"]

# Columns by what they say of a person, in raw tables and in copies of files.
VISITOR = ("anon_id", "visitor_id")
CUSTOMER = ("user_id", "customer_id")
ORDER = ("order_id", "transaction_id")


class Window(msgspec.Struct, frozen=True):
    """When a visitor that a row does not name is the person: after < time <= until; null is without end."""

    visitor: str
    after: datetime | None = None
    until: datetime | None = None


class Person(msgspec.Struct):
    """All by which an org knows one person. customers, emails (hashes), visitors and orders are nobody else's."""

    org: str
    customers: list[str]
    emails: list[str]
    visitors: list[str] = []
    windows: list[Window] = []
    orders: list[str] = []
    until: datetime = datetime.max  # UTC, naive: what happens later is a new person's

    @property
    def is_alone(self) -> bool:
        """Whether the person shares no device."""
        return all(window.after is None and window.until is None for window in self.windows)


class Relation(NamedTuple):
    """Rows that may be a person's: a raw table or a file of the archive. columns: name in lower case -> SQL type."""

    name: str
    sql: str
    columns: dict[str, str]


def raw_relations(connection: Connection) -> list[Relation]:
    """The raw tables of orgs, whose rows may be a person's or mention one; failed rows are text and not among them."""
    rows = connection.execute(
        "select table_name, map_from_entries(list((column_name, data_type) order by column_index))"
        " from duckdb_columns() join duckdb_tables() using (database_name, schema_name, table_name)"
        " where schema_name = 'raw' and database_name = current_database() group by 1 order by 1"
    ).fetchall()
    return [
        Relation(f"raw.{table}", f"raw.{quoted(table)}", columns)
        for table, columns in rows
        if "org_id" in columns and table != "failed_events"
    ]


def hold(connection: Connection, person: Person) -> None:
    """Put the person into temporary tables, for `own`; their columns have names that no relation's column hides."""
    for table, names in (("person_names", names_of(person)), ("person_orders", person.orders)):
        select = "select unnest($1::varchar[]) as known_name"
        connection.execute(f"create or replace temp table {table} as {select}", [names])
    connection.execute(
        "create or replace temp table person_windows (known_visitor varchar, opens timestamp, closes timestamp)"
    )
    if person.windows:
        rows = [(window.visitor, window.after, window.until) for window in person.windows]
        connection.executemany("insert into person_windows values (?, ?, ?)", rows)


def own(relation: Relation, person: Person) -> str:
    """SQL over the relation's columns: whether a row is the person's; never null."""
    said = said_of(relation, person.emails)
    theirs = whose(said["identity"], said["visitor"], said['"order"'], said["moment"], in_time(relation, person))
    return f"({in_org(relation, person)} and {theirs})"


def in_org(relation: Relation, person: Person) -> str:
    """SQL over the relation's columns: whether a row is of the person's org."""
    if "org_id" in relation.columns:
        return f"org_id = {literal(person.org)}"
    if "site_id" in relation.columns:  # a copy of a file, whose org is that of its site
        return f"coalesce(site_id not in (select site_id from raw.sites where org_id <> {literal(person.org)}), true)"
    return "true"


def in_time(relation: Relation, person: Person) -> str:
    """SQL over the relation's columns: whether a row is not of a time after the erasure."""
    return f"coalesce({said_of(relation, [])['moment']} <= {literal(person.until)}::timestamp, true)"


def names_of(person: Person) -> list[str]:
    return [*person.customers, *(f"email:{email}" for email in person.emails)]


def whose(identity: str, visitor: str, order: str, moment: str, in_time: str = "true") -> str:
    return f"""coalesce(case
        when {identity} is not null then {in_time} and {identity} in (select known_name from temp.person_names)
        when {visitor} is not null then {in_time} and exists (
            from temp.person_windows where known_visitor = {visitor}
            and coalesce({moment} > opens, true) and coalesce({moment} <= closes, true))
        else {order} in (select known_name from temp.person_orders) end, false)"""


def said_of(relation: Relation, emails: list[str]) -> dict[str, str]:
    """What a row says of a person, as SQL. emails: hashes that are looked for in every text of the row."""

    def first(*names: str) -> str:
        present = [quoted(name) for name in names if name in relation.columns]
        return f"coalesce({', '.join(present)})" if present else "null::varchar"

    texts = [quoted(name) for name, type_ in relation.columns.items() if type_ == "VARCHAR"] or ["null"]
    carried = ""
    for email in map(literal, emails):
        inside = f" or contains(properties::varchar, {email})" if "properties" in relation.columns else ""
        carried += f" when {email} in ({', '.join(texts)}){inside} then {email}"
    stored = first("email_hash")
    if "email_hash" not in relation.columns and "properties" in relation.columns:  # webhooks bring it there
        stored = "(properties::json ->> 'email_hash')"
    email = f"(case{carried} else {stored} end)" if carried else stored
    return {
        "org_id": first("org_id"),
        "customer": first(*CUSTOMER),
        "email": email,
        "identity": f"coalesce({first(*CUSTOMER)}, 'email:' || {email})",
        "visitor": first(*VISITOR),
        '"order"': first(*ORDER),
        "moment": "try_cast(occurred_at as timestamp)" if "occurred_at" in relation.columns else "null::timestamp",
    }
