"""How a person at a terminal lets Tributary read a platform: what is asked, what the browser brings, what is kept.

In: a Platform, its credentials so far. Out: credentials in the secret store. Without a terminal everything comes from
the environment, and what a person would paste from a pipe.
"""

from __future__ import annotations

import functools
import sys
import webbrowser
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from cli.console import WRONG_INPUT, fail, say

if TYPE_CHECKING:
    import httpx

    from connectors.auth.credentials import StoredCredentials
    from connectors.platform import Platform

MINUTES = 10


def let_in(
    platform: Platform, credentials: StoredCredentials, client: httpx.Client, uri: str, *, token: bool, paste: bool
) -> None:
    """Ask for what is lacking, go through the platform's consent, and keep what it gives."""
    from connectors.auth.credentials import environment, variable
    from connectors.auth.secret_store import describe

    kept = describe(credentials.store)  # before anything is asked for
    given = environment(platform)
    by_hand = token or platform.oauth is None
    app = {}
    if not by_hand:
        say(f"The app's redirect address, as it has to be registered with {platform.label}: {uri}")
    for name in platform.secrets:
        before = given.get(name) or credentials.values.get(name)
        is_optional = by_hand and name in ("client_id", "client_secret") and not signs(platform)
        if before and (name in given or not sys.stdin.isatty()):
            app[name] = before
        elif is_optional and not sys.stdin.isatty():
            continue
        else:
            ending = " (Enter keeps it)" if before else " (Enter if you have none)" if is_optional else ""
            app[name] = asked(
                f"{platform.label} {name.replace('_', ' ')}{ending}",
                variable(platform, name),
                hidden=name != "client_id",
                default=before or ("" if is_optional else None),
            )
    if by_hand:
        tokens = {
            name: asked(
                f"{platform.label} {name.replace('_', ' ')}", variable(platform, name), hidden=True, from_pipe=True
            )
            for name in ("access_token", *(["access_token_secret"] if signs(platform) else []))
        }
    else:
        tokens = consented(platform, app, client, uri, paste=paste)
    mine = {name: value for name, value in app.items() if value and name not in given}
    credentials.connect({**mine, **tokens})
    say(f"Kept in {kept}.")


def signs(platform: Platform) -> bool:
    """Whether its tokens come with a secret: OAuth 1.0a."""
    return platform.oauth is not None and platform.oauth.request_token_url is not None


def consented(
    platform: Platform, app: dict[str, str], client: httpx.Client, uri: str, *, paste: bool
) -> dict[str, str]:
    """The tokens that the person's consent brings."""
    import httpx

    from connectors.auth import oauth
    from connectors.auth.loopback import is_loopback, listening
    from connectors.http.errors import Throttled, VendorError

    try:
        consent = oauth.begin(platform, app, uri, client)
        if paste or not is_loopback(uri):
            say(
                f"Open this address in a browser, and let Tributary in:\n\n{consent.url}\n\n"
                f"The browser then goes to an address that begins with {uri}; that it shows no page there is no "
                "matter. Copy that address whole."
            )
            redirected = asked("The address", "--paste with the address on a pipe", from_pipe=True)
        else:
            with listening(uri, functools.partial(oauth.is_response, platform, consent)) as wait:
                say(
                    f"{platform.label} asks in your browser whether Tributary may read. If no page opens, open this "
                    f"address yourself:\n\n{consent.url}\n\nwaiting for your answer there (Ctrl-C ends it)"
                )
                webbrowser.open(consent.url)
                redirected = wait(MINUTES * 60)
        return oauth.finish(platform, app, consent, redirected, http=client, now=datetime.now(UTC))
    except (Throttled, httpx.TransportError) as error:
        why = error if isinstance(error, Throttled) else type(error).__name__
        raise VendorError(
            f"{platform.label} gave no token ({why}): check the network, and try again: "
            f"tributary connect {platform.name}"
        ) from None


def asked(
    question: str, otherwise: str, *, hidden: bool = False, default: str | None = None, from_pipe: bool = False
) -> str:
    """What a person answers. Without a terminal: a line of the pipe, or an error that names what to set instead."""
    if sys.stdin.isatty():
        return typer.prompt(question, hide_input=hidden, default=default, show_default=False).strip()
    answer = sys.stdin.readline().strip() if from_pipe else ""
    if not answer:
        fail(f"{question}: nobody is there to answer: set {otherwise}", WRONG_INPUT)
    return answer
