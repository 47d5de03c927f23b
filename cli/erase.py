"""`tributary erase`: remove a person from everything that is stored.

In: an identifier. Out: raw tables, archive, marts and published files without the person, and a proof of it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import FAILED, WRONG_INPUT, fail, print_line, print_parts, readable_errors
from cli.person_options import Customer, DryRun, Email, Org, Visitor, counts_table, find_person, only_identifier
from cli.stop import when_stopped
from ingestion.home import Home

if TYPE_CHECKING:
    from ingestion.person.erase import Erasure
    from ingestion.person.ownership import Kind, Person
    from ingestion.person.verify_erasure import Finding
    from ingestion.settings.model import Settings

UNFINISHED = "The erasure is not finished: some files still contain the person. Run the same command again."
SECONDS_TO_CLOSE = 30.0  # the collector closes a segment after ten


def erase(
    *,
    email: Email = None,
    visitor: Visitor = None,
    customer: Customer = None,
    org: Org = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Remove a person from everything that is stored. Counts and sums stay. You cannot undo this.

    [bold]Examples[/bold]

      tributary erase --email anna@example.com --dry-run

      tributary erase --customer c-000123 --yes
    """
    with readable_errors():
        identifier = only_identifier(email=email, visitor=visitor, customer=customer)
        from ingestion.person.erase import read_journal, write_journal
        from ingestion.person.find import UnknownPerson
        from ingestion.settings.load import load_settings
        from ingestion.warehouse import build_lock

        when_stopped("The person was not erased.")
        home = Home.from_environment()
        settings = load_settings(home)
        if not dry_run and (unfinished := read_journal(home)):
            print_line("An earlier erasure was interrupted. It is finished first.")
            finish(home, unfinished)
            if is_known_as(unfinished.person, *identifier):
                return
        with build_lock(home, "erase", print_line):
            asked_at = datetime.now(UTC).replace(tzinfo=None)
            if not dry_run:
                load_everything(home, settings)
            print_line("looking for the person")
            erasure = prepare(home, settings, identifier, org, asked_at)
            # Files may still name a person whom no row names: they are searched before the answer is final.
            if not erasure.counts and (dry_run or not any(found.rows for found in search(home, erasure))):
                raise UnknownPerson(identifier[0])
            print_parts(counts_table(erasure.counts))
            if dry_run:
                return
            if not yes and not typer.confirm("Erase this person? You cannot undo this."):
                fail("Nothing was erased.", WRONG_INPUT)
            when_stopped(UNFINISHED)
            write_journal(home, erasure)
        finish(home, erasure)


def is_known_as(person: Person, kind: Kind, value: str) -> bool:
    """Return whether the identifier is one of the person's."""
    import duckdb

    from ingestion.person.find import normalise_identifier

    with duckdb.connect() as connection:
        known = {"email": person.emails, "visitor": person.visitors, "customer": person.customers}
        return normalise_identifier(connection, kind, value) in known[kind]


def prepare(
    home: Home, settings: Settings, identifier: tuple[Kind, str], org: str | None, asked_at: datetime
) -> Erasure:
    """Return the erasure. Nothing is changed yet."""
    from ingestion.person.erase import prepare_erasure
    from ingestion.settings.raw_tables import store_settings
    from ingestion.warehouse import connect

    with connect(home) as connection:
        store_settings(connection, settings)
        person = find_person(connection, *identifier, org)
        return prepare_erasure(connection, home, identifier[0], asked_at, person)


def load_everything(home: Home, settings: Settings) -> None:
    """Load all segments and waiting files, because they may name the person."""
    from ingestion.files.inbox import INBOXES, import_inbox
    from ingestion.segments.loading import load_landing
    from ingestion.segments.writer import open_segments
    from ingestion.warehouse import connect

    before = {path.stem for path in open_segments(home.landing)}
    deadline = time.monotonic() + SECONDS_TO_CLOSE
    if before:
        print_line("waiting for the collector to close its segments (10 s)")
    while before & (still := {path.stem for path in open_segments(home.landing)}):
        if time.monotonic() > deadline:
            pids = ", ".join(sorted({stem.split("-")[-2] for stem in before & still}))
            fail(f"The collector (process {pids}) does not close its segments. Stop it, then erase again.", FAILED)
        time.sleep(0.2)
    with connect(home) as connection:
        load_landing(connection, home, settings, print_line)
        for kind in INBOXES:
            import_inbox(connection, home, settings, kind, print_line)


def finish(home: Home, erasure: Erasure) -> None:
    """Perform the erasure of the journal, build and publish everything again, and prove that nothing is left."""
    from ingestion.person.erase import delete_journal, erase_person
    from ingestion.warehouse import build_lock
    from orchestration.run import run_graph
    from serving.publishing.publish import clear_leftovers

    when_stopped(UNFINISHED)
    with build_lock(home, "erase", print_line):
        erase_person(home, erasure, print_line)
    if problems := run_graph(home, select=None, full_refresh=True, log=print_line):
        advice = (
            "The raw tables no longer contain the person, but the published version does."
            " Erase again as soon as a run succeeds."
        )
        fail("\n".join([*problems, advice]), FAILED)
    with build_lock(home, "erase", print_line):
        clear_leftovers(home.published)
        print_line("searching every file for the person")
        findings = search(home, erasure)
        if left := {finding.where: finding.rows for finding in findings if finding.rows}:
            print_parts(counts_table(left))
            fail("These places still contain the person. Delete or correct these files, then erase again.", FAILED)
        delete_journal(home)
    when_stopped("The person is erased.")
    print_line(f"Erased. {len(findings):,} tables and files were searched: 0 rows found.")


def search(home: Home, erasure: Erasure) -> list[Finding]:
    """Read every file of the home folder, and return the places that still identify the person."""
    from ingestion.person.verify_erasure import UnreadableFile, scan_home

    try:
        return list(scan_home(home, erasure))
    except UnreadableFile as error:
        fail(error, FAILED)
