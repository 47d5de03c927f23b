"""`tributary export-person`: everything stored about a person. In: an identifier. Out: JSON."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.console import error_console, readable_errors
from cli.person_options import Customer, DryRun, Email, Org, Visitor, counts_table, find_person, only_identifier
from cli.stop import when_stopped
from ingestion.home import Home


def export_person(
    *,
    email: Email = None,
    visitor: Visitor = None,
    customer: Customer = None,
    org: Org = None,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of standard output.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Export everything that is stored about a person, as JSON.

    [bold]Example[/bold]

      tributary export-person --email anna@example.com --output anna.json
    """
    with readable_errors():
        kind, value = only_identifier(email=email, visitor=visitor, customer=customer)
        from ingestion.person.erase import record_request
        from ingestion.person.export import read_person_rows, to_json
        from ingestion.settings.load import load_settings
        from ingestion.settings.raw_tables import store_settings
        from ingestion.warehouse import build_lock, connect

        home = Home.from_environment()
        settings = load_settings(home)
        with build_lock(home, "export-person", print_note), connect(home) as connection:
            store_settings(connection, settings)
            rows = read_person_rows(connection, home, find_person(connection, kind, value, org))
            counts = {place: len(found) for place, found in rows.items()}
            if not dry_run:
                record_request(
                    connection, request_id=os.urandom(8).hex(), action="export", asked_for=kind, counts=counts
                )
        for part in counts_table(counts):
            error_console.print(part)
        if dry_run:
            return
        content = to_json(kind, value, rows)
        if output is None:
            sys.stdout.buffer.write(content)
            return
        when_stopped(f"{output} may be incomplete. Run the same command again.")
        with open(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(content)
        print_note(f"Written to {output}. Only you can read it.")


def print_note(message: str) -> None:
    """Print to standard error, because the JSON goes to standard output."""
    error_console.print(escape(message), soft_wrap=True)
