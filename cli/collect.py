"""`tributary collect`: the service that receives events. In: options, HTTP. Out: segments in the landing folder."""

from __future__ import annotations

import os
import sys
from ipaddress import ip_network
from typing import Annotated

import typer

from cli.console import WRONG_INPUT, fail, print_line, print_to_terminal, readable_errors
from cli.stop import release_signals
from ingestion.home import Home


def collect(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on. 0.0.0.0: all of this machine.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8700,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that share the port.")] = 1,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(help="Address or CIDR range of a proxy with a trusted X-Forwarded-For. Repeatable."),
    ] = None,
    connections_per_address: Annotated[
        int, typer.Option(min=1, help="Connections that one address may have to a process, except for trusted proxies.")
    ] = 100,
    segment_mb: Annotated[float, typer.Option(min=0.001, help="Size at which a segment is closed.")] = 64,
    segment_seconds: Annotated[float, typer.Option(min=0.1, help="Age at which a segment is closed.")] = 10,
) -> None:
    """Receive events over HTTP and store them durably in the landing folder. The next run loads them.

    /openapi.json and docs/collector.md describe the API. Variables of the environment hold the keys of servers and of
    the admin: TRIBUTARY_SERVER_KEY_<SITE>, TRIBUTARY_ADMIN_KEY. SIGTERM or Ctrl-C stops the service without a loss.

    [bold]Examples[/bold]

      tributary collect

      tributary collect --host 0.0.0.0 --port 80 --workers 4

      tributary collect --trusted-proxy 10.0.0.0/8
    """
    for proxy in trusted_proxy or []:
        try:
            ip_network(proxy)
        except ValueError as error:
            fail(f"--trusted-proxy {proxy}: {error}. Use an address or a range such as 10.0.0.0/8.", WRONG_INPUT)
    with readable_errors():
        from ingestion.collector.server import check, serve
        from ingestion.collector.state import Options
        from ingestion.listening import listen

        options = Options(
            host=host,
            port=port,
            workers=workers,
            trusted_proxies=tuple(trusted_proxy or ()),
            connections_per_address=connections_per_address,
            segment_bytes=int(segment_mb * 1_000_000),
            segment_seconds=segment_seconds,
        )
        home = Home.from_environment()
        sites = check(home)
        listed = ", ".join(sites) or "none. Add one with a public_key under sites in tributary.yaml"
        with listen(host, port) as sock:
            address = f"http://{f'[{host}]' if ':' in host else host}:{sock.getsockname()[1]}"
            print_line(f"Collecting on {address} into {home.landing}; sites: {listed}. Ctrl-C stops.")
            release_signals()
            serve(options, sock)
        print_to_terminal("Stopped. Every event that was acknowledged is stored.")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # everything is stored: the interpreter's end would print DuckDB's types as leaks
