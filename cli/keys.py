"""`tributary keys`: create, list and revoke API keys.

In: options, tributary.yaml. Out: a new key, which is shown once; a table of keys; audit rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import WRONG_INPUT, error_console, fail, print_line, print_parts, readable_errors
from ingestion.home import Home

if TYPE_CHECKING:
    from serving.access.state import Key

keys = typer.Typer(
    no_args_is_help=True,
    help="Create, list and revoke API keys of the dashboard and the API.\n\n[bold]Examples[/bold]\n\n"
    "  tributary keys create --org northwind --name BI\n\n"
    "  tributary keys list",
)


@keys.command()
def create(
    *,
    name: Annotated[str, typer.Option(help="What the key is for, such as BI.")],
    org: Annotated[str | None, typer.Option(help="The org that the key reads.")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="A key of all orgs, instead of --org.")] = False,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="read: all questions as JSON; export: also CSV, Parquet and Arrow; mark: marks of waste. Repeatable."
            " Default: read."
        ),
    ] = None,
) -> None:
    """Create an API key and print it. It is shown only once: Tributary stores its hash.

    [bold]Examples[/bold]

      tributary keys create --org northwind --scope read --scope export --name BI

      tributary keys create --admin --name "nightly report"
    """
    with readable_errors():
        from ingestion.settings.load import load_settings
        from ingestion.text import suggestion
        from serving.access.state import SCOPES, State

        scopes = scope or ["read"]
        if unknown := [each for each in scopes if each not in SCOPES]:
            fail(f"--scope {unknown[0]} is unknown. Use read, export or mark.", WRONG_INPUT)
        if admin == (org is not None):
            fail("Use one of --org ORG and --admin.", WRONG_INPUT)
        home = Home.from_environment()
        orgs = [each.id for each in load_settings(home).orgs]
        if org is not None and org not in orgs:
            fail(f"There is no org {org}. {suggestion(org, orgs)}", WRONG_INPUT)
        key, text = State(home.serving_state).create_key(org, {"read", *scopes}, name, "local")
        typer.echo(text)  # alone on standard output, so that a script can store it
        reads = "all orgs" if org is None else org
        error_console.print(
            f"Store this key now: it is not shown again. It reads {reads}. Revoke it: tributary keys revoke {key.id}",
            soft_wrap=True,
            markup=False,
        )


@keys.command("list")
def list_() -> None:
    """List the API keys with their scopes and their last use (UTC), also revoked ones.

    [bold]Example[/bold]

      tributary keys list
    """
    with readable_errors():
        from serving.access.state import State

        found = State(Home.from_environment().serving_state).list_keys()
        if found:
            print_parts(key_table(found))
        else:
            print_line("There is no key yet. Create one: tributary keys create --org ORG --name NAME")


@keys.command()
def revoke(identity: Annotated[str, typer.Argument(metavar="ID", help="The id that `keys list` shows.")]) -> None:
    """Make an API key invalid at once, and end the sessions that began with it.

    [bold]Example[/bold]

      tributary keys revoke 1a2b3c4d
    """
    with readable_errors():
        from serving.access.state import State

        key = State(Home.from_environment().serving_state).revoke_key(identity, "local")
        print_line(f"Key {key.id} ({key.name}) is revoked.")


def key_table(found: list[Key]) -> Iterator[Any]:
    """Yield a table of keys that fits a terminal."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("id", "org", "scopes", "name", "created", "last used"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("id", "created", "last used"))
    for key in found:
        org = "(all)" if key.org is None else key.org
        used = "[red]revoked[/red]" if key.revoked_at else shown_time(key.last_used_at)
        scopes = " ".join(sorted(key.scopes))
        table.add_row(key.id, escape(org), scopes, escape(key.name), f"{key.created_at:%Y-%m-%d}", used)
    yield table


def shown_time(time: datetime | None) -> str:
    """Return a time of a table."""
    return f"{time:%Y-%m-%d %H:%M}" if time else "never"
