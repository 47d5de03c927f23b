"""`tributary check`: test an installation before it is used, and say what to do about each fault.

In: the home folder, the environment, this machine; the address of a page with the tag. Out: a line for each check.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli.check_sites import check_domains, check_keys
from cli.check_tag import check_page
from cli.console import FAILED, console, readable_errors
from cli.findings import MARKS, Finding, good, problem, warning
from ingestion.home import Home
from ingestion.text import counted, nearest

if TYPE_CHECKING:
    from ingestion.settings.model import Settings

CLOCK_SECONDS = 60  # a larger difference would reject events as future ones


def check(
    url: Annotated[str | None, typer.Argument(metavar="[URL]", help="A page of a site that has the tag.")] = None,
    *,
    host: Annotated[str, typer.Option(help="Address of the collector and of Dagster's UI.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of Dagster's UI.")] = 3000,
    collector_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the collector.")] = 8700,
) -> None:
    """Check the settings, domains, keys, ports, disk, clock and logins, and the tag on a page.

    The command changes no data. It exits with 1 if something has to be corrected.

    [bold]Examples[/bold]

      tributary check

      tributary check https://www.northwind.example/
    """
    with readable_errors():
        from ingestion.collector.sites import read_sites
        from ingestion.settings.load import load_settings
        from ingestion.settings.model import SettingsError

        home = Home.from_environment()
        found: list[Finding] = []
        try:
            settings = load_settings(home)
        except SettingsError as error:
            found += show(problem("settings", line) for line in str(error).splitlines())
            settings = None
        checks: list[Callable[[], Iterator[Finding]]] = [
            lambda: check_disk(home, settings),
            lambda: check_clock(home),
            lambda: check_ports(host, {"--collector-port": collector_port, "--port": port}),
        ]
        if settings:
            found += show([good("settings", describe(settings, home))])
            checks += [
                lambda: check_domains(settings),
                lambda: check_keys(settings),
                lambda: check_connections(home, settings),
            ]
            if url:
                checks.append(lambda: check_page(url, read_sites(home)))
        for each in checks:
            found += show(each())
        if any(finding.level == "problem" for finding in found):
            raise typer.Exit(FAILED)


def show(findings: Iterator[Finding] | list[Finding]) -> list[Finding]:
    """Print each finding as soon as it is known, and return all."""
    shown = []
    for finding in findings:
        console.print(f"{MARKS[finding.level]} {finding.subject}: {escape(finding.sentence)}", soft_wrap=True)
        shown.append(finding)
    return shown


def describe(settings: Settings, home: Home) -> str:
    """Return what tributary.yaml declares."""
    parts = [counted(len(settings.orgs), "org"), counted(len(settings.sites), "site")]
    return f"{', '.join(parts)} and {counted(len(settings.ad_accounts), 'ad account')} in {home.settings}"


def check_disk(home: Home, settings: Settings | None) -> Iterator[Finding]:
    """Check that the home folder takes writes, and has room for a run, which copies the warehouse."""
    from ingestion.collector.state import check_writable

    try:
        check_writable(home)
    except OSError as error:
        yield problem("disk", f"{home.landing} takes no writes ({error.strerror}). Correct the folder's rights.")
        return
    free = shutil.disk_usage(home.root).free
    size = home.warehouse.stat().st_size if home.warehouse.exists() else 0
    least = max(2 * size, (settings.collector.min_free_mb if settings else 0) * 1_000_000)
    sentence = f"{free / 1e9:,.1f} GB are free for {home.root}"
    if free < least:
        yield problem("disk", f"{sentence}, and {least / 1e9:,.1f} GB are needed. Free some space.")
    else:
        yield good("disk", sentence)


def check_clock(home: Home) -> Iterator[Finding]:
    """Check that no file of the home was written after this moment."""
    ahead = max((path.lstat().st_mtime for path in home.root.iterdir()), default=0) - time.time()
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    if ahead > CLOCK_SECONDS:
        yield problem("clock", f"It is {now}, and files of {home.root} are {ahead:,.0f} s newer. Set the clock.")
    else:
        yield good("clock", now)


def check_ports(host: str, ports: dict[str, int]) -> Iterator[Finding]:
    """Check that the collector and Dagster's UI could listen, or that they do already. ports: option -> port."""
    from ingestion.listening import CannotListen, listen

    for option, port in ports.items():
        try:
            listen(host, port, port_option=option).close()
        except CannotListen as error:
            if option == "--collector-port" and is_collector(host, port):
                yield good("ports", f"a collector runs on {host}:{port}")
            else:
                yield warning("ports", f"{error}")
        else:
            yield good("ports", f"{port} is free")


def is_collector(host: str, port: int) -> bool:
    """Return whether a collector answers at the address."""
    import httpx

    try:
        return httpx.get(f"http://{host}:{port}/healthz", timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def check_connections(home: Home, settings: Settings) -> Iterator[Finding]:
    """Check that the login of each listed ad platform can read its accounts."""
    from cli.connections import check_token
    from connectors.ads import PLATFORMS
    from connectors.auth.credentials import StoredCredentials
    from orchestration.pulling.plan import listed_platforms

    platforms = listed_platforms(settings)
    if not platforms:
        yield good("logins", f"no ad account to pull. To add some: tributary connect {next(iter(PLATFORMS))}")
    others = sorted({account.platform for account in settings.ad_accounts} - PLATFORMS.keys())
    for name in others:
        if close := nearest(name, PLATFORMS):
            yield warning("logins", f"ad_accounts has the platform {name}, which nobody pulls. Do you mean {close}?")
    for platform in platforms:
        credentials = StoredCredentials(platform, home.root / "credentials.bin")
        if not credentials.is_connected:
            yield warning("logins", f"{platform.label} has no login. To pull it: tributary connect {platform.name}")
        elif complaint := check_token(credentials, settings.ad_accounts):
            yield problem("logins", complaint.sentence)
        else:
            yield good("logins", f"{platform.label} accepts the login and shows every account")
