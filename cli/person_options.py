"""Options of `tributary erase` and `tributary export-person`. In: an identifier. Out: the person, counts of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import plain_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingestion.person.ownership import Kind, Person
    from ingestion.sql import Connection

Email = Annotated[str | None, typer.Option(help="An e-mail address.")]
Visitor = Annotated[str | None, typer.Option(help="A visitor id (anon_id, visitor_id).")]
Customer = Annotated[str | None, typer.Option(help="A customer id (user_id, customer_id).")]
Org = Annotated[str | None, typer.Option(help="The person's org, if several orgs know the id.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count the person's rows.")]


def only_identifier(*, email: str | None, visitor: str | None, customer: str | None) -> tuple[Kind, str]:
    """Return the kind and the value of the one identifier that was given."""
    from ingestion.files.contracts import ContractError

    options: dict[Kind, str | None] = {"email": email, "visitor": visitor, "customer": customer}
    given = [(kind, value) for kind, value in options.items() if value is not None]
    if len(given) != 1:
        raise ContractError("Name the person by one of --email, --visitor and --customer.")
    return given[0]


def find_person(connection: Connection, kind: Kind, value: str, org: str | None) -> Person:
    """Return all identifiers of the person in the raw tables and the archive."""
    from ingestion.person import find
    from ingestion.person.erase import searched_relations

    relations = searched_relations(connection)
    stored = find.normalise_identifier(connection, kind, value)
    org = find.resolve_org(connection, relations, kind, stored, org)
    return find.find_person(connection, relations, kind, stored, org)


def counts_table(counts: Mapping[str, int]) -> list[Any]:
    """Return a table of rows by place."""
    from rich.markup import escape

    if not counts:
        return ["No rows of this person are stored."]
    table = plain_table("place", "rows")
    for place, rows in counts.items():
        table.add_row(escape(place), f"{rows:,}")
    return [table]
