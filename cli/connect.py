"""`tributary connect`: a person lets Tributary read an ad platform. Out: tokens in the secret store, ad accounts in
tributary.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.consent import asked, let_in
from cli.console import FAILED, WRONG_INPUT, console, errors_for_people, fail, say
from ingestion.files.contracts import normalized_account_id
from ingestion.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from connectors.auth.credentials import StoredCredentials
    from connectors.http.client import PlatformClient
    from connectors.platform import Account, Platform
    from ingestion.settings.model import AdAccount, Settings

PORT = 8765  # platforms want the redirect's address registered, so that it is always the same


def connect(
    platform: Annotated[str, typer.Argument(metavar="PLATFORM", help="meta, google, tiktok...")],
    *,
    org: Annotated[str | None, typer.Option(help="The org whose spend the accounts are.")] = None,
    accounts: Annotated[str | None, typer.Option(help="Ids of the ad accounts to pull, with commas.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Pull all accounts that can be read.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Log in anew, though the stored login holds.")] = False,
    token: Annotated[bool, typer.Option("--token", help="Ask for an access token that you made by hand.")] = False,
    paste: Annotated[bool, typer.Option("--paste", help="Without a browser here: paste its address.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the redirect on this machine.")] = PORT,
    redirect_uri: Annotated[str | None, typer.Option(help="Another redirect than this machine's.")] = None,
) -> None:
    """Let Tributary read an ad platform, and choose the ad accounts that it pulls.

    Secrets go to the keyring of this machine, or to an encrypted file. What the
    environment brings (TRIBUTARY_META_ACCESS_TOKEN) is used as it is.

    [bold]Examples[/bold]

      tributary connect meta

      tributary connect google --org northwind --paste

      tributary connect tiktok --accounts 7012345678901234567
    """
    with errors_for_people():
        from connectors.auth.credentials import StoredCredentials
        from connectors.http.client import PlatformClient
        from ingestion.settings.load import load_settings

        home = Home.from_environment()
        settings = load_settings(home)
        chosen = known_platform(platform)
        owner = org_of(settings, org)
        credentials = StoredCredentials(chosen, home.root / "credentials.bin")
        host = chosen.oauth.redirect_host if chosen.oauth else "127.0.0.1"
        with PlatformClient(chosen, credentials, log=say) as client:
            readable = None if again or token else already_readable(chosen, client, credentials)
            if readable is None:
                let_in(
                    chosen,
                    credentials,
                    client.http,
                    redirect_uri or f"http://{host}:{port}/callback",
                    token=token,
                    paste=paste,
                )
                say(f"{chosen.label}: listing the ad accounts")
                readable = list(chosen.accounts(client))
        if not readable:
            fail(
                f"{chosen.label} lets this login read no ad account: give it access to one there, "
                f"then: tributary connect {chosen.name}",
                FAILED,
            )
        listed = {normalized_account_id(a.account_id): a for a in settings.ad_accounts if a.platform == chosen.name}
        console.print(of_accounts(readable, listed))
        write_down(home, chosen, owner, choice(readable, accounts, every), listed)


def already_readable(
    platform: Platform, client: PlatformClient, credentials: StoredCredentials
) -> list[Account] | None:
    """The accounts that the login reads that there is; None where there is none, or it has ended."""
    from connectors.http.errors import TokenRevoked

    if not credentials.is_connected:
        return None
    whose = "of the environment" if credentials.is_from_environment else "that is stored (another: --again)"
    say(f"{platform.label}: listing the ad accounts with the login {whose}")
    try:
        return list(platform.accounts(client))
    except TokenRevoked as ended:
        if credentials.is_from_environment:
            raise
        say(str(ended))
        return None


def known_platform(name: str) -> Platform:
    from connectors.ads import PLATFORMS
    from ingestion.settings.values import suggestion

    found = PLATFORMS.get(name.lower())
    if found is None:
        fail(f"there is no platform {name}. {suggestion(name, PLATFORMS)}", WRONG_INPUT)
    return found


def org_of(settings: Settings, given: str | None) -> str:
    ids = [org.id for org in settings.orgs]
    if given is None and len(ids) == 1:
        return ids[0]
    given = given or asked("Whose accounts are they? One of " + ", ".join(ids), "--org")
    if given not in ids:
        fail(f"there is no org {given} in tributary.yaml: add it there, or use one of {', '.join(ids)}", WRONG_INPUT)
    return given


def of_accounts(accounts: Iterable[Account], listed: dict[str, AdAccount]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("", "account", "name", "currency", "time zone", "manager", "state", "org"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("", "account"))
    for number, account in enumerate(accounts, 1):
        known = listed.get(normalized_account_id(account.account_id))
        org = known.org if known else ""
        shown = (account.name, account.currency, account.timezone, account.manager, account.status, org)
        table.add_row(str(number), account.account_id, *(text or "" for text in shown))
    return table


def choice(readable: list[Account], ids: str | None, every: bool) -> list[Account]:
    """The accounts that are meant, by id or by number in the table."""
    if every or (len(readable) == 1 and ids is None):
        return readable
    known = {normalized_account_id(account.account_id): account for account in readable}
    if ids is None:
        known |= {f"{n}": a for n, a in enumerate(readable, 1) if f"{n}" not in known}
        ids = asked("Which of them are to be pulled? Numbers or ids with commas, or all", "--accounts or --all")
    if ids.lower() == "all":
        return readable
    names = [name.strip() for name in ids.split(",") if name.strip()]
    unknown = [name for name in names if normalized_account_id(name) not in known]
    if unknown or not names:
        fail(
            f"this login can read no account {', '.join(unknown) or '(none was named)'}: "
            f"choose from {', '.join(a.account_id for a in readable)}",
            WRONG_INPUT,
        )
    return list({normalized_account_id(name): known[normalized_account_id(name)] for name in names}.values())


def write_down(home: Home, platform: Platform, org: str, chosen: list[Account], listed: dict[str, AdAccount]) -> None:
    """Add the accounts to tributary.yaml; one that is there stays as it is, and what the platform says else is told."""
    from ingestion.settings import values as settings_values
    from ingestion.settings.load import add_to_settings

    checks = {"currency": settings_values.currency, "timezone": settings_values.zone}
    entries = []
    for account in chosen:
        facts = {name: getattr(account, name) for name in ("name", "currency", "timezone", "manager")}
        facts = {name: value for name, value in facts.items() if value}
        before = listed.get(normalized_account_id(account.account_id))
        for name, check in checks.items():
            if before and name in facts and getattr(before, name) != facts[name]:
                say(
                    f"{account.account_id}: tributary.yaml says {name} {getattr(before, name) or '(none)'}, "
                    f"{platform.label} {facts[name]}: change it there if that is not meant"
                )
            elif problem := check(facts[name]) if name in facts else None:
                say(f"{account.account_id}: {name} is left out: {problem}")
                del facts[name]
        if before and before.org != org:
            say(f"{account.account_id} stays the org {before.org}'s: change it in tributary.yaml if that is not meant")
        if not before:
            entries.append({"platform": platform.name, "account_id": account.account_id, "org": org, **facts})
    if entries:
        add_to_settings(home, ad_accounts=entries)
        say(f"Added to {home.settings}: {', '.join(entry['account_id'] for entry in entries)}.")
    else:
        say(f"{home.settings} has them already.")
    say(f"Next: tributary pull {platform.name}")
