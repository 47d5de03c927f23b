"""Log in to a platform: app secrets, the platform's consent page, tokens.

In: a Platform and its stored credentials; answers at a terminal, the environment or standard input. Out: credentials in
the secret store.
"""

from __future__ import annotations

import functools
import sys
import webbrowser
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import typer

from cli.console import WRONG_INPUT, fail, print_line
from cli.stop import signals_for_children

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from connectors.auth.credentials import StoredCredentials
    from connectors.platform import Platform

MINUTES = 10  # to answer on the platform's page


def log_in(
    platform: Platform,
    credentials: StoredCredentials,
    client: httpx.Client,
    *,
    store: Path,
    uri: str,
    token: bool,
    paste: bool,
) -> None:
    """Ask for missing secrets, get tokens with the person's consent, and store both."""
    from connectors.auth.credentials import environment, variable
    from connectors.auth.secret_store import describe

    place = describe(store)  # fails without a store, before a person types anything
    given = environment(platform)
    by_hand = token or platform.oauth is None
    app: dict[str, str] = {}
    if not by_hand:
        print_line(f"Register this redirect address for your app with {platform.label}: {uri}")
    for name in platform.secrets:
        before = given.get(name) or credentials.values.get(name)
        is_optional = by_hand and name in ("client_id", "client_secret") and not has_token_secret(platform)
        if before and (name in given or not sys.stdin.isatty()):
            app[name] = before
        elif is_optional and not sys.stdin.isatty():
            continue
        else:
            ending = " (Enter for the stored one)" if before else " (Enter if you have none)" if is_optional else ""
            app[name] = ask(
                f"{platform.label} {name.replace('_', ' ')}{ending}",
                variable(platform, name),
                hidden=name != "client_id",
                default=before or ("" if is_optional else None),
            )
    if by_hand:
        tokens = {
            name: ask(
                f"{platform.label} {name.replace('_', ' ')}", variable(platform, name), hidden=True, from_pipe=True
            )
            for name in ("access_token", *(["access_token_secret"] if has_token_secret(platform) else []))
        }
    else:
        chosen = {name: given[name] for name in platform.optional_secrets if name in given}
        tokens = get_consent(platform, {**chosen, **app}, client, uri, paste=paste)
    own = {name: value for name, value in app.items() if value and name not in given}
    credentials.connect({**own, **tokens})
    print_line(f"Stored in {place}.")


def has_token_secret(platform: Platform) -> bool:
    """Return whether tokens of the platform have a secret: OAuth 1.0a."""
    return platform.oauth is not None and platform.oauth.request_token_url is not None


def get_consent(
    platform: Platform, app: dict[str, str], client: httpx.Client, uri: str, *, paste: bool
) -> dict[str, str]:
    """Send the person to the platform's consent page and return the tokens. VendorError if there are none."""
    from connectors.auth import oauth
    from connectors.auth.loopback import is_loopback, listening
    from connectors.http.errors import Throttled, TokenRevoked, VendorError, redact
    from connectors.http.retry import Retrier, SystemClock

    again = f"Try again: tributary connect {platform.name}"
    retrier = Retrier(platform.label, SystemClock(), print_line, functools.partial(redact, credentials=app), again)
    host = urlsplit(platform.oauth.token_url if platform.oauth else uri).hostname
    failures: list[Throttled] = []
    consent = retrier.call(lambda: oauth.begin(platform, app, uri, client), host)
    if paste or not is_loopback(uri):
        print_line(
            f"Open this address in a browser and allow the access:\n\n{consent.url}\n\n"
            f"The browser then opens an address that begins with {uri}. The page may be missing. "
            "Copy that address whole."
        )
        redirected = ask("The address", "--paste with the address on standard input", from_pipe=True)
    else:
        with listening(uri, functools.partial(oauth.is_response, platform, consent)) as wait:
            print_line(
                f"{platform.label} asks in your browser for the access. If no page opens, open this address:"
                f"\n\n{consent.url}\n\nwaiting for your answer there (Ctrl-C stops)"
            )
            with signals_for_children():
                webbrowser.open(consent.url)
            redirected = wait(MINUTES * 60)

    def exchange() -> dict[str, str]:
        try:
            return oauth.finish(platform, app, consent, redirected, http=client, now=datetime.now(UTC))
        except Throttled as failure:
            failures.append(failure)
            raise

    try:
        return retrier.call(exchange, host)
    except TokenRevoked:
        if not failures:
            raise
        # A code is valid once, and the request that failed has used it.
        raise VendorError(f"{platform.label} returned no token ({failures[0]}). {again}") from None


def ask(
    question: str, otherwise: str, *, hidden: bool = False, default: str | None = None, from_pipe: bool = False
) -> str:
    """Return a person's answer, or a line of standard input. Without either, fail and name what to set instead."""
    if sys.stdin.isatty():
        return str(typer.prompt(question, hide_input=hidden, default=default, show_default=False)).strip()
    answer = sys.stdin.readline().strip() if from_pipe else ""
    if not answer:
        fail(f"{question}: there is no terminal to answer at. Set {otherwise}", WRONG_INPUT)
    return answer
