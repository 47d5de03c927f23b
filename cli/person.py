"""`tributary erase` and `tributary export-person`: a person's rights, each answered by one command."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import FAILED, WRONG_INPUT, complaints, errors_for_people, fail, say, show
from ingestion.home import Home

if TYPE_CHECKING:
    from ingestion.person.erase import Erasure
    from ingestion.person.ownership import Kind, Person
    from ingestion.settings.model import Settings
    from ingestion.sql import Connection

Email = Annotated[str | None, typer.Option(help="An e-mail address.")]
Visitor = Annotated[str | None, typer.Option(help="A visitor id (anon_id, visitor_id).")]
Customer = Annotated[str | None, typer.Option(help="A customer id (user_id, customer_id).")]
Org = Annotated[str | None, typer.Option(help="The org whose person it is, where several know the id.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count what is held.")]
SECONDS_TO_CLOSE = 30.0


def erase(
    *,
    email: Email = None,
    visitor: Visitor = None,
    customer: Customer = None,
    org: Org = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Take a person out of everything that is held; counts and sums stay. It cannot be undone.

    [bold]Examples[/bold]

      tributary erase --email anna@example.com --dry-run

      tributary erase --customer c-000123 --yes
    """
    with errors_for_people():
        who = only_one(email=email, visitor=visitor, customer=customer)
        from ingestion.person import erase as erasing
        from ingestion.settings.load import load_settings
        from ingestion.warehouse import build_lock

        home = Home.from_environment()
        settings = load_settings(home)
        if not dry_run and (begun := erasing.read_journal(home)):
            say("An erasure was interrupted: it is finished first.")
            finish(home)
            if knows(begun.person, *who):
                return
        with build_lock(home, "erase", say):
            asked_at = datetime.now(UTC).replace(tzinfo=None)
            if not dry_run:
                load_everything(home, settings)
            say("looking for the person")
            erasure = prepared(home, settings, who, org, asked_at)
            show(counted(erasure.counts))
            if dry_run:
                return
            if not yes and not typer.confirm("Erase this person? It cannot be undone."):
                fail("nothing was erased", WRONG_INPUT)
            erasing.write_journal(home, erasure)
        finish(home)


def export_person(
    *,
    email: Email = None,
    visitor: Visitor = None,
    customer: Customer = None,
    org: Org = None,
    output: Annotated[Path | None, typer.Option(help="The file to write; else standard output.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Give what is held about a person, as JSON.

    [bold]Example[/bold]

      tributary export-person --email anna@example.com --output anna.json
    """
    with errors_for_people():
        kind, value = only_one(email=email, visitor=visitor, customer=customer)
        from ingestion.person.erase import record_request
        from ingestion.person.export import read_person_rows, to_json
        from ingestion.settings.load import load_settings
        from ingestion.settings.raw_tables import store_settings
        from ingestion.warehouse import build_lock, connect

        home = Home.from_environment()
        settings = load_settings(home)
        with build_lock(home, "export-person", tell), connect(home) as connection:
            store_settings(connection, settings)
            rows = read_person_rows(connection, home, found(connection, kind, value, org))
            counts = {place: len(those) for place, those in rows.items()}
            if not dry_run:
                record_request(
                    connection, request_id=os.urandom(8).hex(), action="export", asked_for=kind, counts=counts
                )
        for part in counted(counts):
            complaints.print(part)
        if dry_run:
            return
        content = to_json(kind, value, rows)
        if output is None:
            sys.stdout.buffer.write(content)
            return
        with open(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(content)
        tell(f"Written to {output}, readable by you only.")


def only_one(**given: str | None) -> tuple[Kind, str]:
    """The identifier that was given, and its kind."""
    from ingestion.files.contracts import ContractError

    said = [(kind, value) for kind, value in given.items() if value is not None]
    if len(said) != 1:
        raise ContractError("say who: one of --email, --visitor, --customer")
    return said[0]


def knows(person: Person, kind: Kind, value: str) -> bool:
    """Whether it is by this identifier, too, that a person was known."""
    import duckdb

    from ingestion.person.find import normalise_identifier

    with duckdb.connect() as connection:
        known = {"email": person.emails, "visitor": person.visitors, "customer": person.customers}
        return normalise_identifier(connection, kind, value) in known[kind]


def found(connection: Connection, kind: Kind, value: str, org: str | None) -> Person:
    from ingestion.person import find as finding
    from ingestion.person.erase import searched_relations

    relations = searched_relations(connection)
    stored = finding.normalise_identifier(connection, kind, value)
    org = finding.resolve_org(connection, relations, kind, stored, org)
    return finding.find_person(connection, relations, kind, stored, org)


def prepared(home: Home, settings: Settings, who: tuple[Kind, str], org: str | None, asked_at: datetime) -> Erasure:
    """The erasure to be, nothing changed yet."""
    from ingestion.person.erase import prepare_erasure
    from ingestion.settings.raw_tables import store_settings
    from ingestion.warehouse import connect

    with connect(home) as connection:
        store_settings(connection, settings)
        return prepare_erasure(connection, home, who[0], asked_at, found(connection, *who, org))


def load_everything(home: Home, settings: Settings) -> None:
    """What has landed, and what waits in the inbox, may name the person: it is loaded first."""
    from ingestion.files.contracts import KINDS
    from ingestion.files.inbox import import_inbox
    from ingestion.segments.loading import load_landing
    from ingestion.segments.writer import open_segments
    from ingestion.warehouse import connect

    before = {path.stem for path in open_segments(home.landing)}
    deadline = time.monotonic() + SECONDS_TO_CLOSE
    if before:
        say("waiting for the collector to close what it writes (10 s)")
    while before & (still := {path.stem for path in open_segments(home.landing)}):
        if time.monotonic() > deadline:
            pids = ", ".join(sorted({stem.split("-")[-2] for stem in before & still}))
            fail(f"the collector (process {pids}) does not close its segments: stop it, then erase again", FAILED)
        time.sleep(0.2)
    with connect(home) as connection:
        load_landing(connection, home, settings, say)
        for kind in KINDS:
            import_inbox(connection, home, settings, kind, say)


def finish(home: Home) -> None:
    """Do what is written down, build and publish everything anew, and prove that nothing is left."""
    from ingestion.person import erase as erasing
    from ingestion.person.verify_erasure import scan_home
    from ingestion.warehouse import build_lock
    from orchestration.run import run_graph
    from serving.publish import clear_leftovers

    erasure = erasing.read_journal(home)
    with build_lock(home, "erase", say):
        erasing.erase_person(home, erasure, say)
    problems = run_graph(home, select=None, full_refresh=True, say=say)
    if problems:
        fail(
            "\n".join(
                [
                    *problems,
                    "The person is out of the raw tables, not yet of the published version: erase again"
                    " once a run succeeds.",
                ]
            ),
            FAILED,
        )
    with build_lock(home, "erase", say):
        clear_leftovers(home.published)
        say("reading every file for what is left")
        findings = list(scan_home(home, erasure))
        left = {finding.where: finding.rows for finding in findings if finding.rows}
        if left:
            show(counted(left))
            fail("The person is still found there: delete or mend these files, then erase again.", FAILED)
        erasing.delete_journal(home)
    say(f"Erased. {len(findings):,} tables and files were read: 0 rows found.")


def counted(counts: dict[str, int]) -> list:
    """A small table of rows by place."""
    from rich.markup import escape

    from cli.status import small_table

    if not counts:
        return ["Nothing is held."]
    table = small_table("place", "rows")
    for place, rows in counts.items():
        table.add_row(escape(place), f"{rows:,}")
    return [table]


def tell(message: str) -> None:
    """To standard error: standard output is the document's."""
    complaints.print(message, soft_wrap=True)
