"""Whose rows are whose: one identifier -> the person's identifiers, and SQL that tells the person's rows in any table.

In: an e-mail address, a visitor id or a customer id, and the raw tables. Out: a Person; `own` is the condition on a
relation's columns by which a row is that person's (after `hold`, which puts the person into temporary tables).

A row belongs to whom it names: its customer, else its e-mail address. A row that names nobody belongs to whoever is
known on its visitor: on a shared device to the one who is named next, after the last one to the last, as in the marts.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import msgspec

from ingestion.contracts import ContractError
from ingestion.privacy import EMAIL
from ingestion.read import Connection, literal, quoted

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


def normalised(connection: Connection, kind: Kind, value: str) -> str:
    """The identifier as raw tables hold it: an e-mail address, and an id that holds one, as the hash."""
    value = value.strip()
    (has_mail,) = connection.execute(f"select regexp_matches($1, '{EMAIL}')", [value]).fetchone()
    if not value or (kind == "email" and not has_mail):
        raise ContractError(f"--{kind} {value!r}: not {'an e-mail address' if kind == 'email' else 'an id'}")
    return hashlib.sha256(value.lower().encode()).hexdigest() if has_mail else value


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


def org_of(connection: Connection, relations: list[Relation], kind: Kind, value: str, org: str | None) -> str:
    """The org whose person is meant: the one that was said, the only one, or the only one that knows the identifier."""
    orgs = [name for (name,) in connection.execute("select org_id from raw.orgs order by 1").fetchall()]
    if org and org not in orgs:
        raise ContractError(f"--org {org}: tributary.yaml has no such org. Its orgs: {', '.join(orgs)}")
    if org or len(orgs) == 1:
        return org or orgs[0]
    _look_at(connection, relations, [value] if kind == "email" else [])
    known = _values(connection, "org_id", f"{kind} = $1", value)
    if len(known) == 1:
        return known[0]
    said = f"known to the orgs {', '.join(known)}" if known else f"known to none of the orgs {', '.join(orgs)}"
    raise ContractError(f"--{kind}: {said}: say with --org which one is meant")


def find(connection: Connection, relations: list[Relation], kind: Kind, value: str, org: str) -> Person:
    """The person of an identifier, one step outwards: to the customers of an e-mail address or of a visitor that is
    one customer's only, and from these to the e-mail addresses, visitors and orders that are theirs."""
    asked = [value] if kind == "email" else []
    _look_at(connection, relations, asked, org)
    customers = [value] if kind == "customer" else _values(connection, "customer", f"{kind} = $1", value)
    if kind == "visitor" and len(customers) > 1:
        customers = []  # a device: the rows that name somebody are not the asker's
    emails = _values(connection, "email", "customer in (from unnest($1))", customers)
    others = _values(connection, "email", "email in (from unnest($2)) and customer not in (from unnest($1))",
                     customers, emails)  # fmt: skip
    person = Person(org, customers, sorted({*asked, *emails} - (set(others) - set(asked))))
    _look_at(connection, relations, person.emails, org)

    theirs = "identity in (from unnest($1))"
    orders = _values(connection, '"order"', theirs, _names(person))
    visitors = {
        *_values(connection, "visitor", theirs, _names(person)),
        # A checkout without a login has its order in common with the shop's own report of it.
        *_values(connection, "visitor", 'identity is null and "order" in (from unnest($1))', orders),
        *([value] if kind == "visitor" else []),
    }
    # With somebody else, whose id it is too.
    shared = {*_values(connection, "visitor", "visitor in (from unnest($2)) and identity not in (from unnest($1))",
                       _names(person), sorted(visitors))}  # fmt: skip
    person.visitors = sorted(visitors - shared | ({value} if kind == "visitor" else set()))
    person.windows = [Window(visitor) for visitor in person.visitors]
    person.windows += _shares(connection, sorted(shared - set(person.visitors)), _names(person))

    hold(connection, person)
    mine = _whose("identity", "visitor", '"order"', "moment")
    # An order that somebody else's row bears as well keeps its id, or it would count twice.
    orders = _values(connection, '"order"', mine)
    foreign = f'"order" in (from unnest($1)) and not {mine} and (identity is not null or visitor is not null)'
    person.orders = sorted({*orders} - {*_values(connection, '"order"', foreign, orders)})
    hold(connection, person)
    (latest,) = connection.execute(f"select max(moment) from temp.sightings where {mine}").fetchone()
    person.until = max(datetime.now(UTC).replace(tzinfo=None), latest or datetime.min)
    return person


def hold(connection: Connection, person: Person) -> None:
    """Put the person into temporary tables, for `own`; their columns have names that no relation's column hides."""
    for table, names in (("person_names", _names(person)), ("person_orders", person.orders)):
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
    said = _said(relation, person.emails)
    whose = _whose(said["identity"], said["visitor"], said['"order"'], said["moment"], in_time(relation, person))
    return f"({in_org(relation, person)} and {whose})"


def in_org(relation: Relation, person: Person) -> str:
    """SQL over the relation's columns: whether a row is of the person's org."""
    if "org_id" in relation.columns:
        return f"org_id = {literal(person.org)}"
    if "site_id" in relation.columns:  # a copy of a file, whose org is that of its site
        return f"coalesce(site_id not in (select site_id from raw.sites where org_id <> {literal(person.org)}), true)"
    return "true"


def in_time(relation: Relation, person: Person) -> str:
    """SQL over the relation's columns: whether a row is not of a time after the erasure."""
    return f"coalesce({_said(relation, [])['moment']} <= {literal(person.until)}::timestamp, true)"


def _names(person: Person) -> list[str]:
    return [*person.customers, *(f"email:{email}" for email in person.emails)]


def _whose(identity: str, visitor: str, order: str, moment: str, in_time: str = "true") -> str:
    return f"""coalesce(case
        when {identity} is not null then {in_time} and {identity} in (select known_name from temp.person_names)
        when {visitor} is not null then {in_time} and exists (
            from temp.person_windows where known_visitor = {visitor}
            and coalesce({moment} > opens, true) and coalesce({moment} <= closes, true))
        else {order} in (select known_name from temp.person_orders) end, false)"""


def _said(relation: Relation, emails: list[str]) -> dict[str, str]:
    """What a row says of a person, as SQL. emails: hashes that are looked for in every text of the row."""

    def first(*names: str) -> str:
        present = [quoted(name) for name in names if name in relation.columns]
        return f"coalesce({', '.join(present)})" if present else "null::varchar"

    texts = [quoted(name) for name, type_ in relation.columns.items() if type_ == "VARCHAR"] or ["null"]
    carried = ""
    for email in map(literal, emails):
        inside = f" or contains(properties::varchar, {email})" if "properties" in relation.columns else ""
        carried += f" when {email} in ({', '.join(texts)}){inside} then {email}"
    email = f"(case{carried} else {first('email_hash')} end)" if carried else first("email_hash")
    return {
        "org_id": first("org_id"),
        "customer": first(*CUSTOMER),
        "email": email,
        "identity": f"coalesce({first(*CUSTOMER)}, 'email:' || {email})",
        "visitor": first(*VISITOR),
        '"order"': first(*ORDER),
        "moment": "try_cast(occurred_at as timestamp)" if "occurred_at" in relation.columns else "null::timestamp",
    }


def _look_at(connection: Connection, relations: list[Relation], emails: list[str], org: str | None = None) -> None:
    """Make the view `sightings`: what every row of the relations says of a person."""
    selects = [
        f"select {', '.join(f'{sql} as {name}' for name, sql in _said(relation, emails).items())} from {relation.sql}"
        + (f" where org_id = {literal(org)}" if org else "")
        for relation in relations
        if {*VISITOR, *CUSTOMER, *ORDER} & set(relation.columns)
    ]
    connection.execute(f"create or replace temp view sightings as {' union all by name '.join(selects)}")


def _values(connection: Connection, column: str, where: str, *parameters: object) -> list[str]:
    query = f"select distinct {column} from temp.sightings where {column} is not null and {where} order by 1"
    return [value for (value,) in connection.execute(query, list(parameters)).fetchall()]


def _shares(connection: Connection, visitors: list[str], names: list[str]) -> list[Window]:
    """When a shared visitor is the person: up to a row that names the person, from the one before of somebody else."""
    rows = connection.execute(
        """
        with seen as (
            select distinct visitor, moment, identity, identity in (from unnest($2)) as is_theirs
            from temp.sightings where visitor in (from unnest($1)) and identity is not null
        ),
        run_ends as (
            select *, lead(is_theirs) over visits as is_theirs_next from seen
            window visits as (partition by visitor order by moment, identity)
            qualify is_theirs_next is distinct from is_theirs
        ),
        runs as (
            select visitor, is_theirs, lag(moment) over (partition by visitor order by moment, identity) as "after",
                case when is_theirs_next is not null then moment end as until
            from run_ends
        )
        select visitor, "after", until from runs where is_theirs order by all
        """,
        [visitors, names],
    ).fetchall()
    return [Window(*row) for row in rows]
