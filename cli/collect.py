"""`tributary collect`: the service that events are sent to. In: options. Out: segments in the landing folder."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated

import typer

from cli.console import WRONG_INPUT, errors_for_people, fail, say
from ingestion.home import Home


def collect(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all of this machine's.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8700,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that share the port.")] = 1,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(help="Address or CIDR range of a proxy whose X-Forwarded-For is believed. Repeatable."),
    ] = None,
    segment_mb: Annotated[float, typer.Option(min=0.001, help="A segment is closed at this size.")] = 64,
    segment_seconds: Annotated[float, typer.Option(min=0.1, help="A segment is closed at this age.")] = 10,
) -> None:
    """Receive events over HTTP and keep them, durably, in the landing folder until the next run loads them.

    What it accepts is said at /openapi.json and in docs/collector.md. The keys of servers and of the admin come from
    the environment: TRIBUTARY_SERVER_KEY_<SITE>, TRIBUTARY_ADMIN_KEY. SIGTERM or Ctrl-C stops it; nothing is lost.

    [bold]Examples[/bold]

      tributary collect

      tributary collect --host 0.0.0.0 --port 80 --workers 4

      tributary collect --trusted-proxy 10.0.0.0/8
    """
    for proxy in trusted_proxy or []:
        try:
            ip_network(proxy)
        except ValueError as error:
            fail(f"--trusted-proxy {proxy}: {error}: write an address or a range such as 10.0.0.0/8", WRONG_INPUT)
    with errors_for_people():
        from ingestion.collector.server import check, serve
        from ingestion.collector.state import Options

        options = Options(
            host=host,
            port=port,
            workers=workers,
            trusted_proxies=tuple(trusted_proxy or ()),
            segment_bytes=int(segment_mb * 1_000_000),
            segment_seconds=segment_seconds,
        )
        home = Home.from_environment()
        sites = check(home)
        shown = ", ".join(sites) or "none: add one under sites, with a public_key, in tributary.yaml"
        say(f"Collecting on http://{host}:{port} into {home.landing}; sites: {shown}. Ctrl-C stops.")
        serve(options)
