"""`tributary connect`: give Tributary access to an ad platform.

In: a platform, a person's login. Out: tokens in the secret store, ad accounts in tributary.yaml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.consent import ask, log_in
from cli.console import FAILED, WRONG_INPUT, console, fail, print_line, readable_errors
from cli.stop import when_stopped
from ingestion.files.id_spellings import normalized_account_id
from ingestion.home import Home
from ingestion.text import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from connectors.auth.credentials import StoredCredentials
    from connectors.http.client import PlatformClient
    from connectors.platform import Account, Platform
    from ingestion.settings.model import AdAccount, Settings

PORT = 8765  # always the same, because platforms want the redirect address registered


def connect(
    platform: Annotated[str, typer.Argument(metavar="PLATFORM", help="meta, google, tiktok... facebook means meta.")],
    *,
    org: Annotated[str | None, typer.Option(help="The org that owns the accounts.")] = None,
    accounts: Annotated[str | None, typer.Option(help="Ids of the ad accounts to pull, separated by commas.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Pull all accounts that the login can read.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Log in again, even if the stored login is valid.")] = False,
    token: Annotated[bool, typer.Option("--token", help="Ask for an access token that you created.")] = False,
    paste: Annotated[bool, typer.Option("--paste", help="Without a browser here: ask for its address.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the redirect on this machine.")] = PORT,
    redirect_uri: Annotated[str | None, typer.Option(help="Redirect to this address instead.")] = None,
) -> None:
    """Log in to an ad platform, and choose the ad accounts to pull.

    The keyring of this machine, or an encrypted file, stores the secrets. Variables of the environment, such as
    TRIBUTARY_META_ACCESS_TOKEN, take precedence.

    [bold]Examples[/bold]

      tributary connect meta

      tributary connect google --org northwind --paste

      tributary connect tiktok --accounts 7012345678901234567
    """
    when_stopped(f"Nothing is half-written. To continue, run: tributary connect {platform}")
    with readable_errors():
        from connectors.auth.credentials import StoredCredentials
        from connectors.http.client import PlatformClient
        from ingestion.settings.load import load_settings
        from orchestration.pulling.plan import find_platform

        home = Home.from_environment()
        settings = load_settings(home)
        chosen = find_platform(platform)
        owner = choose_org(settings, org)
        store = home.root / "credentials.bin"
        credentials = StoredCredentials(chosen, store)
        host = chosen.oauth.redirect_host if chosen.oauth else "127.0.0.1"
        uri = redirect_uri or f"http://{host}:{port}/callback"
        with PlatformClient(chosen, credentials, log=print_line) as client:
            readable = None if again or token else list_accounts(chosen, client, credentials)
            if readable is None:
                log_in(chosen, credentials, client.http, store=store, uri=uri, token=token, paste=paste)
                print_line(f"{chosen.label}: listing the ad accounts")
                readable = list(chosen.accounts(client))
        if not readable:
            fail(
                f"This login can read no ad account of {chosen.label}. Give it access to one there. Then run:"
                f" tributary connect {chosen.name}",
                FAILED,
            )
        listed = {normalized_account_id(a.account_id): a for a in settings.ad_accounts if a.platform == chosen.name}
        console.print(accounts_table(readable, listed))
        add_accounts(home, chosen, owner, choose_accounts(readable, accounts, every), listed)


def list_accounts(platform: Platform, client: PlatformClient, credentials: StoredCredentials) -> list[Account] | None:
    """Return the accounts that the existing login can read; None if there is no login or it has expired."""
    from connectors.http.errors import TokenRevoked

    if not credentials.is_connected:
        return None
    login = "login of the environment" if credentials.is_from_environment else "stored login (--again replaces it)"
    print_line(f"{platform.label}: listing the ad accounts with the {login}")
    try:
        return list(platform.accounts(client))
    except TokenRevoked as revoked:
        if credentials.is_from_environment:
            raise
        print_line(str(revoked))
        return None


def choose_org(settings: Settings, given: str | None) -> str:
    """Return the given org, the only one, or the one that a person types."""
    ids = [org.id for org in settings.orgs]
    if given is None and len(ids) == 1:
        return ids[0]
    given = given or ask(f"Which org owns the accounts? One of {', '.join(ids)}", "--org")
    if given not in ids:
        fail(f"--org {given}: tributary.yaml has no such org. {suggestion(given, ids)}", WRONG_INPUT)
    return given


def accounts_table(accounts: Iterable[Account], listed: dict[str, AdAccount]) -> Table:
    """Return a table of accounts, with the org of those that tributary.yaml lists."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("", "account", "name", "currency", "time zone", "manager", "state", "org"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("", "account"))
    for number, account in enumerate(accounts, 1):
        known = listed.get(normalized_account_id(account.account_id))
        org = known.org if known else ""
        cells = (account.name, account.currency, account.timezone, account.manager, account.status, org)
        table.add_row(str(number), escape(account.account_id), *(escape(text or "") for text in cells))
    return table


def choose_accounts(readable: list[Account], ids: str | None, every: bool) -> list[Account]:
    """Return the accounts with these ids, or those that a person chooses by id or number."""
    if every or (len(readable) == 1 and ids is None):
        return readable
    known = {normalized_account_id(account.account_id): account for account in readable}
    if ids is None:
        known |= {f"{n}": a for n, a in enumerate(readable, 1) if f"{n}" not in known}
        ids = ask("Which accounts? Numbers or ids separated by commas, or all", "--accounts or --all")
    if ids.lower() == "all":
        return readable
    names = [normalized_account_id(name.strip()) for name in ids.split(",") if name.strip()]
    unknown = [name.strip() for name in ids.split(",") if name.strip() and normalized_account_id(name) not in known]
    if unknown or not names:
        choices = ", ".join(account.account_id for account in readable)
        fail(f"This login can read no account {', '.join(unknown) or 'without an id'}. Use {choices}", WRONG_INPUT)
    return list({name: known[name] for name in names}.values())


def add_accounts(home: Home, platform: Platform, org: str, chosen: list[Account], listed: dict[str, AdAccount]) -> None:
    """Add the accounts to tributary.yaml. Do not change a listed one, but report differences from the platform."""
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
                print_line(
                    f"{account.account_id}: {name} is {getattr(before, name) or 'missing'} in tributary.yaml and"
                    f" {facts[name]} in {platform.label}. Correct tributary.yaml if it is wrong."
                )
            elif problem := check(facts[name]) if name in facts else None:
                print_line(f"{account.account_id}: {name} is omitted: {problem}")
                del facts[name]
        if before and before.org != org:
            print_line(
                f"{account.account_id} belongs to the org {before.org}. Correct tributary.yaml if that is wrong."
            )
        if not before:
            entries.append({"platform": platform.name, "account_id": account.account_id, "org": org, **facts})
    if entries:
        add_to_settings(home, ad_accounts=entries)
        print_line(f"Added to {home.settings}: {', '.join(entry['account_id'] for entry in entries)}.")
    else:
        print_line(f"{home.settings} already lists them.")
    print_line(f"Next: tributary pull {platform.name}")
