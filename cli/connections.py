"""`tributary connections`: which ad accounts are pulled, when they last were, and how long their tokens hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from cli.console import FAILED, errors_for_people, fail, say, show
from ingestion.home import Home
from ingestion.warehouse import build_lock, lock_holder

if TYPE_CHECKING:
    from connectors.auth.credentials import StoredCredentials
    from ingestion.settings.model import AdAccount

SOON = 14  # days

LAST_PULLS = """
    select
        platform,
        account_id,
        arg_max(status, finished_at),
        max(finished_at),
        arg_max_null(reason, finished_at),
        max(end_date) filter (where status <> 'failed'),
    from raw.pulls
    group by platform, account_id
"""


class LastPull(NamedTuple):
    status: str  # loaded, partial, failed
    at: datetime  # UTC
    reason: str | None
    until: Any  # the last day that was pulled, if any was


def connections(
    *, check: Annotated[bool, typer.Option("--check", help="Ask each platform whether its token holds.")] = False
) -> None:
    """The ad accounts, their last pull, and how long each token holds.

    [bold]Examples[/bold]

      tributary connections

      tributary connections --check
    """
    with errors_for_people():
        from connectors.ads import PLATFORMS
        from connectors.auth.credentials import StoredCredentials
        from ingestion.settings.load import load_settings

        home = Home.from_environment()
        settings = load_settings(home)
        credentials = {name: StoredCredentials(p, home.root / "credentials.bin") for name, p in PLATFORMS.items()}
        accounts = [account for account in settings.ad_accounts if account.platform in PLATFORMS]
        used = {a.platform for a in accounts} | {name for name, held in credentials.items() if held.is_connected}
        if not used:
            say(f"Nothing is connected yet. Begin with: tributary connect {next(iter(PLATFORMS))}")
            return
        pulls = last_pulls(home)
        found = {name: asked_for(credentials[name], accounts) if check else None for name in PLATFORMS if name in used}
        show(of_connections(accounts, {name: credentials[name] for name in found}, pulls, found))
        if any(found.values()):
            fail("\n".join(text for text in found.values() if text), FAILED)


def last_pulls(home: Home) -> dict[tuple[str, str], LastPull]:
    """By platform and account; empty while a build has the warehouse, which is said."""
    from ingestion.warehouse import connect

    if holder := lock_holder(home):
        say(f"Running: {holder['what']} (process {holder['pid']}): the last pulls are shown when it ends.")
    elif home.warehouse.exists():
        with build_lock(home, "connections"), connect(home) as connection:
            rows = connection.execute(LAST_PULLS).fetchall()
        return {(platform, account): LastPull(*row) for platform, account, *row in rows}
    return {}


def asked_for(credentials: StoredCredentials, accounts: list[AdAccount]) -> str | None:
    """What is wrong, as the platform says it; None where the token holds and reads every account that is listed."""
    from connectors.ads import PLATFORMS
    from connectors.http.client import PlatformClient
    from connectors.http.errors import VendorError

    platform = PLATFORMS[credentials.service.name]
    say(f"asking {platform.label}")
    try:
        with PlatformClient(platform, credentials, log=say) as client:
            readable = {account.account_id for account in platform.accounts(client)}
    except VendorError as error:
        return str(error)
    lost = [a.account_id for a in accounts if a.platform == platform.name and a.account_id not in readable]
    return (
        f"{platform.label}: this login no longer reads {', '.join(lost)}: give it access there, "
        f"or connect with one that has it: tributary connect {platform.name}"
        if lost
        else None
    )


def of_connections(
    accounts: list[AdAccount],
    credentials: dict[str, StoredCredentials],
    pulls: dict[tuple[str, str], LastPull],
    found: dict[str, str | None],
) -> Iterator[Any]:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("platform", "account", "name", "org", "last pull", "up to", "token"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("platform", "account", "up to"))
    now = datetime.now(UTC)
    for name, held in credentials.items():
        token = "[red]refused[/red]" if found[name] else health(held, now)
        for account in [a for a in accounts if a.platform == name] or [None]:
            pull = pulls.get((name, account.account_id)) if account else None
            told = f"{verdict(pull.status)} {pull.at:%Y-%m-%d %H:%M} UTC" if pull else "never"
            until = f"{pull.until or ''}" if pull else ""
            who = (account.account_id, account.name or "", account.org) if account else ("", "", "")
            table.add_row(name, *map(escape, who), told, until, token)
    yield table
    for (platform, account), pull in sorted(pulls.items()):
        if pull.status != "loaded" and pull.reason and platform in credentials:
            yield f"[yellow]![/yellow] {platform} {account}: {escape(pull.reason)}"


def verdict(status: str) -> str:
    return {"loaded": "[green]✓[/green]", "failed": "[red]failed[/red]"}.get(status, f"[yellow]{status}[/yellow]")


def health(credentials: StoredCredentials, now: datetime) -> str:
    """How long the token holds, by what is known here."""
    from connectors.auth.credentials import parse_time

    again = f"tributary connect {credentials.service.name}"
    if not credentials.is_connected:
        return f"[red]none: {again}[/red]"
    whose = "environment: " if credentials.is_from_environment else ""
    renews = credentials.can_renew and "refresh_token" in credentials.values
    ends = parse_time(credentials.values, "refresh_token_expires_at" if renews else "expires_at")
    if ends is None:
        return whose + ("renews itself" if renews else "no end is known")
    days = (ends - now).days
    if ends <= now:
        return f"{whose}[red]ended {ends:%Y-%m-%d}: {again}[/red]"
    told = f"holds until {ends:%Y-%m-%d} ({days} days{', pulls renew it' if credentials.can_renew else ''})"
    return f"{whose}[yellow]{told}[/yellow]" if days < SOON else whose + told
