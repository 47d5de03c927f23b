"""One identifier -> the person: all by which an org knows who it is.

In: an e-mail address, a visitor id or a customer id, and the relations in which to look. Out: a Person, which is held
(rows.py).
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from ingestion.files.contracts import ContractError
from ingestion.person.rows import (
    CUSTOMER,
    ORDER,
    VISITOR,
    Kind,
    Person,
    Relation,
    Window,
    hold,
    names_of,
    said_of,
    whose,
)
from ingestion.privacy.patterns import EMAIL
from ingestion.sql import Connection, literal


def normalised(connection: Connection, kind: Kind, value: str) -> str:
    """The identifier as raw tables hold it: an e-mail address, and an id that holds one, as the hash."""
    value = value.strip()
    (has_mail,) = connection.execute(f"select regexp_matches($1, '{EMAIL.expression}')", [value]).fetchone()
    if not value or (kind == "email" and not has_mail):
        raise ContractError(f"--{kind} {value!r}: not {'an e-mail address' if kind == 'email' else 'an id'}")
    return hashlib.sha256(value.lower().encode()).hexdigest() if has_mail else value


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
    others = _values(
        connection, "email", "email in (from unnest($2)) and customer not in (from unnest($1))", customers, emails
    )
    person = Person(org, customers, sorted({*asked, *emails} - (set(others) - set(asked))))
    _look_at(connection, relations, person.emails, org)

    theirs = "identity in (from unnest($1))"
    orders = _values(connection, '"order"', theirs, names_of(person))
    visitors = {
        *_values(connection, "visitor", theirs, names_of(person)),
        # A checkout without a login has its order in common with the shop's own report of it.
        *_values(connection, "visitor", 'identity is null and "order" in (from unnest($1))', orders),
        *([value] if kind == "visitor" else []),
    }
    # With somebody else, whose id it is too.
    shared = {
        *_values(
            connection,
            "visitor",
            "visitor in (from unnest($2)) and identity not in (from unnest($1))",
            names_of(person),
            sorted(visitors),
        )
    }
    person.visitors = sorted(visitors - shared | ({value} if kind == "visitor" else set()))
    person.windows = [Window(visitor) for visitor in person.visitors]
    person.windows += _shares(connection, sorted(shared - set(person.visitors)), names_of(person))

    hold(connection, person)
    mine = whose("identity", "visitor", '"order"', "moment")
    # An order that somebody else's row bears as well keeps its id, or it would count twice.
    orders = _values(connection, '"order"', mine)
    foreign = f'"order" in (from unnest($1)) and not {mine} and (identity is not null or visitor is not null)'
    person.orders = sorted({*orders} - {*_values(connection, '"order"', foreign, orders)})
    hold(connection, person)
    (latest,) = connection.execute(f"select max(moment) from temp.sightings where {mine}").fetchone()
    person.until = max(datetime.now(UTC).replace(tzinfo=None), latest or datetime.min)
    return person


def _look_at(connection: Connection, relations: list[Relation], emails: list[str], org: str | None = None) -> None:
    """Make the view `sightings`: what every row of the relations says of a person."""
    selects = [
        f"select {', '.join(f'{sql} as {name}' for name, sql in said_of(relation, emails).items())} from {relation.sql}"
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
