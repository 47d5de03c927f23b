"""`tributary connections`: the connected ad accounts.

In: tributary.yaml, stored tokens, raw.pulls. Out: a table of accounts, their last pulls and the state of their tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from cli.console import FAILED, fail, print_line, print_parts, readable_errors
from ingestion.files.id_spellings import normalized_account_id
from ingestion.home import Home
from ingestion.text import counted
from ingestion.warehouse import build_lock, lock_holder

if TYPE_CHECKING:
    from connectors.auth.credentials import StoredCredentials
    from ingestion.settings.model import AdAccount

WARN_DAYS = 14  # before a token expires

LAST_PULLS = """
    select
        platform,
        account_id,
        arg_max(status, finished_at),
        max(finished_at),
        arg_max_null(reason, finished_at),
        max(end_date) filter (where status <> 'failed')
    from raw.pulls
    group by platform, account_id
"""


class LastPull(NamedTuple):
    """The last pull of an account."""

    status: str  # loaded, partial, failed
    finished_at: datetime  # UTC
    reason: str | None
    last_day: date | None  # the last day that a pull loaded


def connections(
    *, check: Annotated[bool, typer.Option("--check", help="Ask each platform whether it accepts the login.")] = False
) -> None:
    """List the ad accounts with their last pull and the state of their token.

    [bold]Examples[/bold]

      tributary connections

      tributary connections --check
    """
    with readable_errors():
        from connectors.ads import PLATFORMS
        from connectors.api_versions import ending_notice
        from connectors.auth.credentials import StoredCredentials
        from ingestion.settings.load import load_settings

        home = Home.from_environment()
        settings = load_settings(home)
        credentials = {name: StoredCredentials(p, home.root / "credentials.bin") for name, p in PLATFORMS.items()}
        accounts = [account for account in settings.ad_accounts if account.platform in PLATFORMS]
        used = {a.platform for a in accounts} | {name for name, one in credentials.items() if one.is_connected}
        if not used:
            print_line(f"Nothing is connected yet. Run: tributary connect {next(iter(PLATFORMS))}")
            return
        pulls = last_pulls(home)
        names = [name for name in PLATFORMS if name in used]
        problems = {name: check_token(credentials[name], accounts) if check else None for name in names}
        print_parts(connections_table(accounts, {name: credentials[name] for name in names}, pulls, problems))
        today = datetime.now(UTC).date()
        notices = (ending_notice(name, PLATFORMS[name].label, today) for name in names)
        print_parts(f"[yellow]![/yellow] {notice}" for notice in notices if notice)
        if found := [problem.sentence for problem in problems.values() if problem]:
            fail("\n".join(found), FAILED)


def last_pulls(home: Home) -> dict[tuple[str, str], LastPull]:
    """Return the last pull of each account by platform and account id; nothing while a build uses the warehouse."""
    from ingestion.warehouse import connect

    if holder := lock_holder(home):
        print_line(f"Running: {holder}. Last pulls are available when it ends.")
    elif home.warehouse.exists():
        with build_lock(home, "connections"), connect(home) as connection:
            rows = connection.execute(LAST_PULLS).fetchall()
        return {(platform, account): LastPull(*row) for platform, account, *row in rows}
    return {}


class Complaint(NamedTuple):
    """A reason for which a pull would fail."""

    state: str  # two words for the table
    sentence: str


def check_token(credentials: StoredCredentials, accounts: list[AdAccount]) -> Complaint | None:
    """Return the platform's complaint, or None if the token is valid and reads every listed account."""
    from connectors.ads import PLATFORMS
    from connectors.http.client import PlatformClient
    from connectors.http.errors import Rejected, TokenRevoked, Unreachable, VendorError

    platform = PLATFORMS[credentials.service.name]
    if not credentials.is_connected:
        return Complaint("no login", f"{platform.label} is not connected. Run: tributary connect {platform.name}")
    print_line(f"asking {platform.label}")
    try:
        with PlatformClient(platform, credentials, log=print_line) as client:
            readable = {normalized_account_id(account.account_id) for account in platform.accounts(client)}
    except VendorError as error:
        state = "no network" if isinstance(error, Unreachable) else "failed"
        return Complaint("refused" if isinstance(error, (TokenRevoked, Rejected)) else state, str(error))
    lost = [a.account_id for a in accounts if a.platform == platform.name and a.account_id not in readable]
    if not lost:
        return None
    return Complaint(
        "no access",
        f"{platform.label}: this login can no longer read {', '.join(lost)}. Give it access there, or connect with a"
        f" login that has access: tributary connect {platform.name}",
    )


def connections_table(
    accounts: list[AdAccount],
    credentials: dict[str, StoredCredentials],
    pulls: dict[tuple[str, str], LastPull],
    problems: dict[str, Complaint | None],
) -> Iterator[Any]:
    """Yield a table of the accounts by platform, then missing logins and the reasons of pulls that did not succeed."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("platform", "account", "name", "org", "last pull", "up to", "token"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("platform", "account", "up to"))
    now = datetime.now(UTC)
    for name, stored in credentials.items():
        problem = problems[name]
        token = f"[red]{problem.state}[/red]" if problem else token_state(stored, now)
        listed = [account for account in accounts if account.platform == name]
        for account in listed:
            pull = pulls.get((name, account.account_id))
            finished = f"{status_mark(pull.status)} {pull.finished_at:%Y-%m-%d %H:%M} UTC" if pull else "never"
            last_day = str(pull.last_day) if pull and pull.last_day else ""
            cells = (account.account_id, account.name or "", account.org)
            table.add_row(name, *map(escape, cells), finished, last_day, token)
        if not listed:
            table.add_row(name, "", "", "", "never", "", token)
    yield table
    for name, stored in credentials.items():
        if not problems[name] and (fault := login_fault(stored, now)):
            yield f"[red]![/red] {name}: the login is {fault}. Run: tributary connect {name}"
    for (platform, account_id), pull in sorted(pulls.items()):
        if pull.status != "loaded" and pull.reason and platform in credentials:
            yield f"[yellow]![/yellow] {platform} {escape(account_id)}: {escape(pull.reason)}"


def status_mark(status: str) -> str:
    """Return the status of a pull in colour."""
    return {"loaded": "[green]✓[/green]", "failed": "[red]failed[/red]"}.get(status, f"[yellow]{status}[/yellow]")


def token_state(credentials: StoredCredentials, now: datetime) -> str:
    """Return when the stored token expires, in colour."""
    source = "environment: " if credentials.is_from_environment else ""
    if fault := login_fault(credentials, now):
        return f"{source}[red]{fault}[/red]"
    expires, renews = expiry(credentials)
    if expires is None:
        return source + ("renews itself" if renews else "no known expiry")
    days = (expires - now).days
    text = (
        f"valid until {expires:%Y-%m-%d} ({counted(days, 'day')}{', pulls renew it' if credentials.can_renew else ''})"
    )
    return f"{source}[yellow]{text}[/yellow]" if days < WARN_DAYS else source + text


def login_fault(credentials: StoredCredentials, now: datetime) -> str | None:
    """Return why no pull can use the login: it is missing or expired."""
    if not credentials.is_connected:
        return "missing"
    expires, _ = expiry(credentials)
    return f"expired {expires:%Y-%m-%d}" if expires and expires <= now else None


def expiry(credentials: StoredCredentials) -> tuple[datetime | None, bool]:
    """Return when the login ends, if the platform states it, and whether pulls renew their token until then."""
    from connectors.auth.credentials import parse_time

    renews = credentials.can_renew and any(name in credentials.values for name in ("refresh_token", "service_account"))
    return parse_time(credentials.values, "refresh_token_expires_at" if renews else "expires_at"), renews
