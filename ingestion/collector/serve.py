"""The processes of `tributary collect`. In: Options. Out: the service, until a signal ends it.

One worker runs in this process; several share one socket and are started, watched and ended by uvicorn's supervisor.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import signal
import socket
import tempfile
from functools import partial
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from ingestion.collector import log
from ingestion.collector.identity import Identity
from ingestion.collector.limits import Buckets
from ingestion.collector.protocol import Protocol
from ingestion.collector.sites import read_sites
from ingestion.collector.state import Options, geo_of, redis_of, try_to_write
from ingestion.home import Home

_CONNECTIONS = 4096


def application(options: Options) -> Any:
    """What each process runs."""
    from ingestion.collector.app import create_app

    log.configure()
    app = create_app(options)
    gc.collect()
    gc.freeze()  # what is there now stays: it need not be looked through again
    return app


def check(home: Home) -> list[str]:
    """The ids of the sites that can be written to; raises SettingsError or OSError for what would stop the start."""
    sites = read_sites(home)
    Identity(home.salts, sites.settings.collector.salt_hours)
    try_to_write(home)
    geo_of(home, sites.settings)
    redis_of(Buckets())
    return [site.settings.id for site in sites.by_key.values()]


def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT; raises OSError where the address cannot be used."""
    log.configure()
    config = uvicorn.Config(
        partial(application, options),
        factory=True,
        interface="asgi3",
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=bool(options.trusted_proxies),
        forwarded_allow_ips=list(options.trusted_proxies),
        limit_concurrency=_CONNECTIONS,
        backlog=2048,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        server_header=False,
        workers=options.workers,
    )
    # uvicorn raises the signal again once it has stopped; nothing is left to be ended then.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    _allow_many_connections()
    with _listening(options) as sock:
        if options.workers == 1:
            uvicorn.Server(config).run([sock])
        else:
            with tempfile.TemporaryDirectory(dir=Home.from_environment().temporary, prefix="metrics-") as folder:
                os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
                Multiprocess(config, [sock]).run()
    gc.unfreeze()


def _allow_many_connections() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # some systems name a limit that they do not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _listening(options: Options) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((options.host, options.port))
        sock.listen(2048)
    except OSError as error:
        sock.close()
        raise OSError(
            error.errno, f"{error.strerror}: choose another --host or --port", f"{options.host}:{options.port}"
        ) from None
    return sock
