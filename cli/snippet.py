"""`tributary snippet SITE`: a site of tributary.yaml in, the tag for its pages out."""

from __future__ import annotations

from html import escape
from typing import Annotated

import typer

from cli.console import complaints, errors_for_people
from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.settings.model import Settings, SettingsError, Site
from ingestion.settings.values import suggestion

STUB = "<script>window.tributary=window.tributary||function(){(tributary.q=tributary.q||[]).push(arguments)}</script>"


def snippet(
    site: Annotated[str, typer.Argument(metavar="SITE", help="The id of a site in tributary.yaml.")],
    collector: Annotated[
        str, typer.Option(help="Where browsers reach the collector.", metavar="URL")
    ] = "http://127.0.0.1:8700",
    auto: Annotated[str, typer.Option(help="What to capture: outbound,forms,scroll,video,rage.")] = "",
    ask: Annotated[bool, typer.Option("--ask", help="Keep no id before tributary('consent', true).")] = False,
    stub: Annotated[
        bool, typer.Option("--stub", help="A line before the tag, so that pages may call tributary() at once.")
    ] = False,
) -> None:
    """Print the tag that measures a site: paste it into the <head> of its pages.

    [bold]Examples[/bold]

      tributary snippet shop --collector https://t.example.com

      tributary snippet shop --auto outbound,forms --ask --stub
    """
    with errors_for_people():
        found = site_of(load_settings(Home.from_environment()), site)
        if stub:
            print(STUB)
        print(tag(found, collector, auto=auto, ask=ask))
        if found.sample_percent < 100 and len(found.domains) > 1:
            complaints.print(
                "[yellow]warning:[/yellow] sampling keeps a visitor's landings on the host where they happened: with a "
                "checkout on another host, conversions of visitors outside the sample lose them",
                soft_wrap=True,
            )


def site_of(settings: Settings, name: str) -> Site:
    """The site of that id, which has a public key."""
    for site in settings.sites:
        if site.id == name:
            if site.public_key:
                return site
            raise SettingsError(f"site {name} has no public_key: add `public_key: pk_...` to it in tributary.yaml")
    ids = [site.id for site in settings.sites]
    advice = suggestion(name, ids) if ids else "Add it under sites in tributary.yaml."
    raise SettingsError(f"there is no site {name}. {advice}")


def tag(site: Site, collector: str, *, auto: str = "", ask: bool = False) -> str:
    """The script element; `collector` is the URL under which browsers find t.js."""
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
    return f'<script async src="{escape(collector.rstrip("/"))}/t.js" {" ".join(words)}></script>'
