"""Run the processes of `tributary collect`: one worker in this process, or several that share a socket.

In: Options. Out: the HTTP service, until a signal ends it; logs as lines of JSON on stderr.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import resource
import socket
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import uvicorn
from uvicorn.supervisors import Multiprocess

from ingestion.collector.app import create_app
from ingestion.collector.identity import Identity
from ingestion.collector.limits import Buckets
from ingestion.collector.protocol import Protocol, connections
from ingestion.collector.sites import read_sites
from ingestion.collector.state import Options, check_writable, geo_database, redis_buckets
from ingestion.home import Home
from ingestion.listening import BACKLOG, end_with_success


def check(home: Home) -> list[str]:
    """Return the ids of the sites that accept events. Raises SettingsError or OSError where the start would fail."""
    sites = read_sites(home)
    Identity(home.salts, sites.settings.collector.salt_hours)
    check_writable(home)
    geo_database(home, sites.settings)
    redis_buckets(Buckets())
    return [site.settings.id for site in sites.by_key.values()]


def serve(options: Options, sock: socket.socket) -> None:
    """Serve on a listening socket until SIGTERM or SIGINT."""
    _configure_logs()
    config = uvicorn.Config(
        partial(_application, options),
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
        backlog=BACKLOG,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        server_header=False,
        workers=options.workers,
    )
    end_with_success()
    _allow_many_connections()
    if options.workers == 1:
        uvicorn.Server(config).run([sock])
    else:
        with tempfile.TemporaryDirectory(dir=Home.from_environment().temporary, prefix="metrics-") as folder:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
            Multiprocess(config, [sock]).run()
    gc.unfreeze()


class _JsonLines(logging.Formatter):
    """Log lines without personal data: no address, URL or body; of an unexpected error the type and the place only."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage().strip(),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])[-5:]
            line["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return msgspec.json.encode(line).decode()


def _configure_logs() -> None:
    """Log from INFO on, and only the errors of the HTTP server."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    logging.getLogger("asyncio").setLevel(logging.ERROR)


def _application(options: Options) -> Any:
    """Return the application of one process."""
    _configure_logs()
    connections.configure(options.connections_per_address, options.trusted_proxies)
    app = create_app(options)
    gc.collect()
    gc.freeze()  # these objects live as long as the process: the collector need not visit them again
    return app


def _allow_many_connections() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # some systems name a limit that they do not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
