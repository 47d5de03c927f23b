"""Decide which rows belong to a person.

In: a Person (find.py), stored in temporary tables by `create_person_tables`. Out: SQL conditions on the columns of any
table or file, above all `owns_row_sql`.

A row belongs to the person that it names: its customer, else its e-mail address. A row without a name belongs to the
person who is known on its visitor. On a shared device that is the next person who is named, or the last one after the
last name, as in the marts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from ingestion.sql import Connection, literal, quoted

Kind = Literal["email", "visitor", "customer"]

# Columns that identify a person, in raw tables and in copies of files
VISITOR = ("anon_id", "visitor_id")
CUSTOMER = ("user_id", "customer_id")
ORDER = ("order_id", "transaction_id")


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The time in which a visitor without a name is the person: after < time <= until. None is unlimited."""

    visitor: str
    after: datetime | None = None
    until: datetime | None = None


class Person(msgspec.Struct, kw_only=True):
    """The identifiers by which an org knows one person. All of them except shared visitors are nobody else's."""

    org: str
    customers: list[str]
    emails: list[str]  # hashes
    visitors: list[str] = []
    windows: list[Window] = []  # of the visitors and of shared ones
    orders: list[str] = []
    until: datetime = datetime.max  # UTC, without a zone: later rows belong to a new person

    @property
    def shares_no_device(self) -> bool:
        return all(window.after is None and window.until is None for window in self.windows)


class Relation(NamedTuple):
    """A raw table or an archived file that may have rows of a person. columns: lower-case name -> SQL type."""

    name: str
    sql: str
    columns: dict[str, str]


def raw_relations(connection: Connection) -> list[Relation]:
    """Return the raw tables with an org. raw.failed_events is not among them: its rows are text."""
    rows = connection.execute(
        "select table_name, map_from_entries(list((column_name, data_type) order by column_index))"
        " from duckdb_columns() join duckdb_tables() using (database_name, schema_name, table_name)"
        " where schema_name = 'raw' and database_name = current_database() group by 1 order by 1"
    ).fetchall()
    return [
        Relation(name=f"raw.{table}", sql=f"raw.{quoted(table)}", columns=columns)
        for table, columns in rows
        if "org_id" in columns and table != "failed_events"
    ]


def create_person_tables(connection: Connection, person: Person) -> None:
    """Store the person in temporary tables, for `owns_row_sql`. No relation has a column with one of their names."""
    for table, column, values in (
        ("person_identities", "known_identity", identities(person)),
        ("person_orders", "known_order", person.orders),
    ):
        connection.execute(
            f"create or replace temp table {table} as select unnest($1::varchar[]) as {column}", [values]
        )
    connection.execute(
        "create or replace temp table person_windows (known_visitor varchar, opens timestamp, closes timestamp)"
    )
    if person.windows:
        connection.executemany(
            "insert into person_windows (known_visitor, opens, closes) values (?, ?, ?)",
            [(window.visitor, window.after, window.until) for window in person.windows],
        )


def owns_row_sql(relation: Relation, person: Person) -> str:
    """Return SQL over the relation's columns: whether a row is the person's. It is never null."""
    columns = identity_columns(relation, person.emails)
    owner = owner_sql(
        identity=columns["identity"],
        visitor=columns["visitor"],
        order=columns['"order"'],
        moment=columns["moment"],
        in_time=before_erasure_sql(relation, person),
    )
    return f"({in_org_sql(relation, person)} and {owner})"


def in_org_sql(relation: Relation, person: Person) -> str:
    """Return SQL over the relation's columns: whether a row is of the person's org."""
    if "org_id" in relation.columns:
        return f"org_id = {literal(person.org)}"
    if "site_id" in relation.columns:  # the copy of a file: its site gives the org
        return f"coalesce(site_id not in (select site_id from raw.sites where org_id <> {literal(person.org)}), true)"
    return "true"


def before_erasure_sql(relation: Relation, person: Person) -> str:
    """Return SQL over the relation's columns: whether a row is not later than `person.until`."""
    return f"coalesce({identity_columns(relation, [])['moment']} <= {literal(person.until)}::timestamp, true)"


def identities(person: Person) -> list[str]:
    """Return the values of the column `identity` that mean the person."""
    return [*person.customers, *(f"email:{email}" for email in person.emails)]


def owner_sql(*, identity: str, visitor: str, order: str, moment: str, in_time: str = "true") -> str:
    """Return SQL: whether the person owns a row with these values, all of which are SQL. It is never null."""
    return f"""coalesce(case
        when {identity} is not null then {in_time} and {identity} in (select known_identity from temp.person_identities)
        when {visitor} is not null then {in_time} and exists (
            from temp.person_windows where known_visitor = {visitor}
            and coalesce({moment} > opens, true) and coalesce({moment} <= closes, true))
        else {order} in (select known_order from temp.person_orders) end, false)"""


def identity_columns(relation: Relation, emails: list[str]) -> dict[str, str]:
    """Return SQL of the values by which a row identifies a person, by name. emails: hashes to find in any text."""

    def first(*names: str) -> str:
        present = [quoted(name) for name in names if name in relation.columns]
        return f"coalesce({', '.join(present)})" if present else "null::varchar"

    texts = [quoted(name) for name, type_ in relation.columns.items() if type_ == "VARCHAR"] or ["null"]
    cases = ""
    for email in map(literal, emails):
        inside = f" or contains(properties::varchar, {email})" if "properties" in relation.columns else ""
        cases += f" when {email} in ({', '.join(texts)}){inside} then {email}"
    stored = first("email_hash")
    if "email_hash" not in relation.columns and "properties" in relation.columns:  # webhooks store it there
        stored = "(properties::json ->> 'email_hash')"
    email = f"(case{cases} else {stored} end)" if cases else stored
    return {
        "org_id": first("org_id"),
        "customer": first(*CUSTOMER),
        "email": email,
        "identity": f"coalesce({first(*CUSTOMER)}, 'email:' || {email})",
        "visitor": first(*VISITOR),
        '"order"': first(*ORDER),
        "moment": "try_cast(occurred_at as timestamp)" if "occurred_at" in relation.columns else "null::timestamp",
    }
