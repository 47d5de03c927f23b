"""Find the person of one identifier: all identifiers by which an org knows them.

In: an e-mail address, a visitor id or a customer id, and the relations in which to look. Out: a Person, also in
temporary tables (ownership.py).
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from ingestion.dbt_macros import macro_sql
from ingestion.files.contracts import ContractError
from ingestion.person.ownership import (
    CUSTOMER,
    ORDER,
    VISITOR,
    Kind,
    Person,
    Relation,
    Window,
    create_person_tables,
    identities,
    identity_columns,
    owner_sql,
)
from ingestion.privacy.patterns import EMAIL
from ingestion.sql import Connection, literal, scalar
from ingestion.text import suggestion

_NOUNS: dict[Kind, str] = {"email": "e-mail address", "visitor": "visitor id", "customer": "customer id"}


class UnknownPerson(ContractError):
    """No stored row has the identifier."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(f"No stored row has this {_NOUNS[kind]}. Nothing was changed. Check the spelling.")


def normalise_identifier(connection: Connection, kind: Kind, value: str) -> str:
    """Return the identifier as raw tables store it: an e-mail address, and an id with one inside, as a hash."""
    value = value.strip()
    has_email = scalar(connection, f"select regexp_matches($1, '{EMAIL.expression}')", [value])
    if not value or (kind == "email" and not has_email):
        expected = "an e-mail address, such as anna@example.com" if kind == "email" else "an id"
        raise ContractError(f"--{kind} {value!r} is not {expected}.")
    return hashlib.sha256(value.lower().encode()).hexdigest() if has_email else value


def resolve_org(connection: Connection, relations: list[Relation], kind: Kind, value: str, org: str | None) -> str:
    """Return the person's org: the given one, the only one, or the only one with rows of the identifier.

    Raise ContractError if none or several orgs have rows of it.
    """
    orgs = [name for (name,) in connection.execute("select org_id from raw.orgs order by 1").fetchall()]
    if org and org not in orgs:
        raise ContractError(f"--org {org}: tributary.yaml has no such org. {suggestion(org, orgs)}")
    if org or len(orgs) == 1:
        return str(org or orgs[0])
    _create_sightings(connection, relations, [value] if kind == "email" else [])
    known = _values(connection, "org_id", f"{kind} = $1", value)
    if len(known) == 1:
        return known[0]
    if known:
        raise ContractError(f"--{kind} is known to several orgs: {', '.join(known)}. Choose one with --org.")
    raise UnknownPerson(kind)


def find_person(connection: Connection, relations: list[Relation], kind: Kind, value: str, org: str) -> Person:
    """Return the person of an identifier, one step outwards.

    An e-mail address, or a visitor with only one customer, leads to customers. Customers lead to the e-mail addresses,
    visitors and orders that belong to nobody else.
    """
    given_email = [value] if kind == "email" else []
    _create_sightings(connection, relations, given_email, org)
    customers = [value] if kind == "customer" else _values(connection, "customer", f"{kind} = $1", value)
    if kind == "visitor" and len(customers) > 1:
        customers = []  # a shared device: the rows that name somebody may be another person's
    emails = _values(connection, "email", "customer in (from unnest($1))", customers)
    others_emails = _values(
        connection, "email", "email in (from unnest($2)) and customer not in (from unnest($1))", customers, emails
    )
    own_emails = {*given_email, *emails} - (set(others_emails) - set(given_email))
    person = Person(org=org, customers=customers, emails=sorted(own_emails))
    _create_sightings(connection, relations, person.emails, org)

    is_named = "identity in (from unnest($1))"
    orders = _values(connection, '"order"', is_named, identities(person))
    visitors = {
        *_values(connection, "visitor", is_named, identities(person)),
        # A checkout without a login has the same order as the shop's own report of it.
        *_values(connection, "visitor", 'identity is null and "order" in (from unnest($1))', orders),
        *([value] if kind == "visitor" else []),
    }
    shared = {
        *_values(
            connection,
            "visitor",
            "visitor in (from unnest($2)) and identity not in (from unnest($1))",
            identities(person),
            sorted(visitors),
        )
    }
    person.visitors = sorted(visitors - shared | ({value} if kind == "visitor" else set()))
    person.windows = [Window(visitor=visitor) for visitor in person.visitors]
    person.windows += _shared_windows(connection, sorted(shared - set(person.visitors)), identities(person))

    create_person_tables(connection, person)
    is_own = owner_sql(identity="identity", visitor="visitor", order='"order"', moment="moment")
    # An order that another person's row has, too, keeps its id. Otherwise it would count twice.
    orders = _values(connection, '"order"', is_own)
    is_others = f'"order" in (from unnest($1)) and not {is_own} and (identity is not null or visitor is not null)'
    person.orders = sorted({*orders} - {*_values(connection, '"order"', is_others, orders)})
    create_person_tables(connection, person)
    latest = scalar(connection, f"select max(moment) from temp.sightings where {is_own}")
    person.until = max(datetime.now(UTC).replace(tzinfo=None), latest or datetime.min)
    return person


def _create_sightings(
    connection: Connection, relations: list[Relation], emails: list[str], org: str | None = None
) -> None:
    """Create the view `sightings`: the identity columns of every row of the relations."""
    selects = []
    for relation in relations:
        if {*VISITOR, *CUSTOMER, *ORDER} & set(relation.columns):
            columns = ", ".join(f"{sql} as {name}" for name, sql in identity_columns(relation, emails).items())
            in_org = f" where org_id = {literal(org)}" if org else ""
            selects.append(f"select {columns} from {relation.sql}{in_org}")
            if "payment_ids" in relation.columns:  # each of them names the order, too
                payment = "unnest(string_split(payment_ids, ' ')) as \"order\""
                columns = ", ".join(
                    payment if name == '"order"' else f"{sql} as {name}"
                    for name, sql in identity_columns(relation, emails).items()
                )
                selects.append(f"select {columns} from {relation.sql}{in_org}")
    connection.execute(f"create or replace temp view sightings as {' union all by name '.join(selects)}")


def _values(connection: Connection, column: str, where: str, *parameters: object) -> list[str]:
    query = f"select distinct {column} from temp.sightings where {column} is not null and {where} order by 1"
    return [value for (value,) in connection.execute(query, list(parameters)).fetchall()]


def _shared_windows(connection: Connection, visitors: list[str], names: list[str]) -> list[Window]:
    """Return the intervals in which each shared visitor is the person, by the rule of the marts."""
    rows = connection.execute(
        f"""
        with identified as (
            select distinct
                '' as org_id, visitor as visitor_id, identity as customer_id, moment as occurred_at
            from temp.sightings where visitor in (from unnest($1)) and identity is not null
        ),
        intervals as ({macro_sql("visitor_intervals", "identified")})
        select visitor_id, valid_after, valid_until from intervals
        where customer_id in (from unnest($2)) order by all
        """,
        [visitors, names],
    ).fetchall()
    return [Window(visitor=visitor, after=after, until=until) for visitor, after, until in rows]
