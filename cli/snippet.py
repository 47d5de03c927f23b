"""`tributary snippet`: the script tag of a site. In: a site of tributary.yaml. Out: HTML for its pages."""

from __future__ import annotations

import re
from html import escape
from typing import Annotated
from urllib.parse import urlsplit

import typer

from cli.console import WRONG_INPUT, error_console, fail, readable_errors
from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.settings.model import Settings, SettingsError, Site
from ingestion.text import suggestion

AUTO = ("outbound", "forms", "scroll", "video", "rage")  # tracker/src/auto.ts
STUB = "<script>window.tributary=window.tributary||function(){(tributary.q=tributary.q||[]).push(arguments)}</script>"


def snippet(
    site: Annotated[str, typer.Argument(metavar="SITE", help="The id of a site in tributary.yaml.")],
    collector: Annotated[
        str, typer.Option(help="The collector's address for browsers.", metavar="URL")
    ] = "http://127.0.0.1:8700",
    auto: Annotated[str, typer.Option(help=f"Events to capture: {','.join(AUTO)}.")] = "",
    ask: Annotated[bool, typer.Option("--ask", help="Store no id before tributary('consent', true).")] = False,
    stub: Annotated[bool, typer.Option("--stub", help="Add a line that lets pages call tributary() at once.")] = False,
) -> None:
    """Print the script tag of a site. Paste it into the <head> of its pages.

    [bold]Examples[/bold]

      tributary snippet shop --collector https://t.example.com

      tributary snippet northwind-shop --auto outbound,forms --ask --stub
    """
    with readable_errors():
        collector, auto = collector_url(collector), events_to_capture(auto)
        found = find_site(load_settings(Home.from_environment()), site)
        if stub:
            print(STUB)
        print(tag(found, collector, auto=auto, ask=ask))
        if found.sample_percent < 100 and len(found.domains) > 1:
            error_console.print(
                "[yellow]warning:[/yellow] The browser stores the landings of a visitor outside the sample for one "
                "host only. If the checkout is on another host, such a visitor's conversion has no landing.",
                soft_wrap=True,
            )


def collector_url(given: str) -> str:
    """Return the address at which browsers find t.js, without a slash at its end. Exit if it is no whole address."""
    try:
        url = urlsplit(given)
        fine = url.scheme in ("http", "https") and url.hostname and url.port != 0 and not (url.query or url.fragment)
    except ValueError:  # of a port that is no number
        fine = False
    if not fine or re.search(r"\s", given):
        fail(f"--collector {given!r} is no whole address. Write one such as https://t.example.com", WRONG_INPUT)
    return given.rstrip("/")


def events_to_capture(given: str) -> str:
    """Return the names of events, separated by commas. Exit if one of them is unknown."""
    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in AUTO:
            fail(f"--auto: there are no events {name!r}. {suggestion(name, AUTO)}", WRONG_INPUT)
    return ",".join(names)


def find_site(settings: Settings, name: str) -> Site:
    """Return the site with this id. SettingsError if it has no public key."""
    for site in settings.sites:
        if site.id == name:
            if site.public_key:
                return site
            raise SettingsError(f"Site {name} has no public_key. Add `public_key: pk_...` to it in tributary.yaml.")
    ids = [site.id for site in settings.sites]
    advice = suggestion(name, ids) if ids else "Add it under sites in tributary.yaml."
    raise SettingsError(f"There is no site {name}. {advice}")


def tag(site: Site, collector: str, *, auto: str = "", ask: bool = False) -> str:
    """Return the script element. collector: the URL at which browsers find t.js."""
    options = {
        "key": site.public_key,
        "sample": site.sample_percent if site.sample_percent < 100 else None,
        "domains": ",".join(site.domains) if len(site.domains) > 1 else None,
        "auto": auto or None,
        "consent": "required" if ask else None,
    }
    words = [f'data-{name}="{escape(str(value))}"' for name, value in options.items() if value is not None]
    if site.cookieless:
        words.append("data-cookieless")
    return f'<script async src="{escape(collector)}/t.js" {" ".join(words)}></script>'
